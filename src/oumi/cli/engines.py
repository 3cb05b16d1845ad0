"""`oumi engines`: the engines, what each needs, and which are installed here."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oumi.core.configs import InferenceEngineType
from oumi.core.configs.base import nearest
from oumi.inference.registry import ROWS, EngineRow

_PLAIN_WIDTH = 200


@click.command("engines")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> int:
    """List the engines, or tell all about the one called NAME."""
    rows = [_find(name)] if name else list(ROWS.values())
    if as_json:
        facts = [_facts(row) for row in rows]
        click.echo(json.dumps(facts[0] if name else facts, indent=2))
    elif name:
        click.echo(_describe(rows[0]))
    else:
        _print_table(rows)
    return 0


def _find(name: str) -> EngineRow:
    if name.upper() in InferenceEngineType.__members__:
        return ROWS[InferenceEngineType(name)]
    guess = nearest(name.upper(), ROWS)
    hint = f"did you mean {guess}?" if guess else f"known are {', '.join(ROWS)}"
    raise click.BadParameter(f"no engine {name!r}; {hint}", param_hint="NAME")


def _facts(row: EngineRow) -> dict[str, Any]:
    return {
        "engine": row.engine.value,
        "summary": row.summary,
        "needs": row.runtime,
        "installed": row.is_installed(),
        "install": row.install,
        "honours": sorted(row.honours),
    }


def _print_table(rows: list[EngineRow]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    table = Table("engine", "what it is", "needs", "installed here", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.engine, row.summary, row.runtime, escape(_installed(row)))
    console.print(table, highlight=False)


def _installed(row: EngineRow) -> str:
    return "yes" if row.is_installed() else f"no: {row.install}"


def _describe(row: EngineRow) -> str:
    lines = [
        f"{row.engine}: {row.summary}",
        f"needs      {row.runtime}",
        f"installed  {_installed(row)}",
        f"python     oumi.inference.{row.class_name}",
        "settings that it honours:",
        *(f"  {name}" for name in sorted(row.honours)),
    ]
    if row.settled:
        lines.append("decided by the model's file or the server, passed over with a warning:")
        lines += [f"  {name}" for name in sorted(row.settled)]
    return "\n".join(lines)
