"""`oumi engines`: the engines, what each needs, and which could answer here."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.table import Table

from oumi.backends.engine_row import EngineRow
from oumi.backends.provider import Provider
from oumi.backends.registry import engine_rows
from oumi.cli.engine_name import EngineName
from oumi.cli.key_status import describe_key, key_set_in, key_variables, lacks_key
from oumi.cli.tables import print_table


@click.command("engines")
@click.argument("row", metavar="[NAME]", required=False, type=EngineName())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(row: EngineRow | None, as_json: bool) -> int:
    """List the engines, or tell all about the one called NAME."""
    if as_json:
        facts = [_facts(each) for each in engine_rows()] if row is None else _facts(row)
        click.echo(json.dumps(facts, indent=2))
    elif row is not None:
        click.echo(_describe(row))
    else:
        _print_table(list(engine_rows()))
    return 0


def _facts(row: EngineRow) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "engine": row.name,
        "summary": row.summary,
        "needs": row.runtime,
        "installed": row.is_installed(),
        "install": row.install,
        "supports": sorted(row.supports),
    }
    provider = row.provider
    return facts if provider is None else {**facts, "api": _api_facts(provider)}


def _api_facts(provider: Provider) -> dict[str, Any]:
    return {
        "url": provider.url,
        "url_variable": provider.url_env,
        "url_parts": {word: list(names) for word, names in provider.url_parts.items()},
        "key_variables": list(key_variables(provider)),
        "key_is_set": key_set_in(provider) is not None,
        "needs_key": provider.needs_key,
        "without_key": provider.auth_method,
        "takes_images": provider.supports_images,
        "takes_audio": provider.supports_audio,
        "takes_pdf": provider.supports_pdf,
        "prices": provider.price_list,
    }


def _print_table(rows: list[EngineRow]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("engine", no_wrap=True)
    table.add_column("what it is")
    table.add_column("ready here", overflow="fold")
    for row in rows:
        table.add_row(row.name, row.summary, _ready(row))
    print_table(table)


def _ready(row: EngineRow) -> str:
    """Whether it could answer now, or what it lacks."""
    if not row.is_installed():
        return _installed(row)
    if row.provider is None:
        return "yes"
    if name := key_set_in(row.provider):
        return f"yes: {name} is set"
    if lacks_key(row.provider):
        return f"no key: {' or '.join(key_variables(row.provider))}"
    return f"with {row.provider.auth_method} credentials" if row.provider.auth_method else "yes"


def _installed(row: EngineRow) -> str:
    return "yes" if row.is_installed() else f"no: {row.install}"


def _describe(row: EngineRow) -> str:
    lines = [
        f"{row.name}: {row.summary}",
        f"needs      {row.runtime}",
        f"installed  {_installed(row)}",
        f"python     oumi.inference.{row.class_name}",
        *_describe_api(row),
        "settings that it supports:",
        *(f"  {name}" for name in sorted(row.supports)),
    ]
    if row.ignores:
        lines.append("decided by the model's file or the server, passed over with a warning:")
        lines += [f"  {name}" for name in sorted(row.ignores)]
    return "\n".join(lines)


def _describe_api(row: EngineRow) -> list[str]:
    provider = row.provider
    if provider is None:
        return []
    parts = [f"{{{word}}} from {' or '.join(n)}" for word, n in provider.url_parts.items()]
    keys = " or ".join(key_variables(provider)) or "none of its own"
    proof = f"; without one, {provider.auth_method} credentials" if provider.auth_method else ""
    return [
        f"address    {', '.join((provider.url or 'remote_params.api_url', *parts))}",
        f"  from     remote_params.api_url{_or(provider.url_env)}",
        f"key        {keys}{', needed' if provider.needs_key else ''}{proof}",
        f"  here     {describe_key(provider)}",
        f"images     {'yes' if provider.supports_images else 'no'}",
        f"audio      {'yes' if provider.supports_audio else 'no'}",
        f"PDFs       {'yes' if provider.supports_pdf else 'no'}",
    ]


def _or(name: str | None) -> str:
    return f" or {name}" if name else ""
