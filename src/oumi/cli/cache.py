"""`oumi cache`: the answers that are kept across runs."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import click
from rich.table import Table

from oumi.cli.tables import print_table
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.json_text import write_json
from oumi.core.printable import printable_json, printable_line
from oumi.core.quantities import parse_duration, parse_size
from oumi.progress.formatting import format_bytes
from oumi.runner.cache import upkeep
from oumi.runner.cache.file import default_path
from oumi.runner.storage.atomic import atomic_file


@click.group("cache", invoke_without_command=True)
@click.option(
    "--path",
    type=click.Path(path_type=Path),
    help="A cache that the setting `cache` names; left out: that of the user.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, path: Path | None, as_json: bool) -> int:
    """Show the cache of answers: where it is, how large, and of which models.

    \b
    oumi infer -c run.yaml --cache true
    oumi cache
    oumi cache prune --older_than 30d --max_size 2GB
    oumi cache export --output_path answers.jsonl
    """
    ctx.obj = path or default_path()
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, as_json=as_json)
    return 0


@command.command("prune")
@click.option("--older_than", metavar="AGE", help="Remove what was not used for so long: 30d, 12h.")
@click.option(
    "--max_size", metavar="SIZE", help="Then remove what was used longest ago: 2GB, 500MB."
)
@click.pass_obj
def prune(path: Path, older_than: str | None, max_size: str | None) -> int:
    """Remove answers that were not used for long."""
    if older_than is None and max_size is None:
        raise click.UsageError("Say what is to go: --older_than AGE, --max_size SIZE, or both.")
    age = None if older_than is None else parse_duration("--older_than", older_than)
    size = None if max_size is None else parse_size("--max_size", max_size)
    removed = upkeep.prune(path, age, size) if path.exists() else 0
    left = format_bytes(upkeep.file_bytes(path))
    click.echo(f"{removed:,} answers removed; {left} are left in {printable_line(str(path))}")
    return 0


@command.command("export")
@click.option(
    "--output_path",
    default=STANDARD_STREAM,
    metavar="FILE",
    help="Where the answers go; left out: standard output.",
)
@click.pass_obj
def export(path: Path, output_path: str) -> int:
    """Write all answers as JSON lines, each with its key, its model and its times."""
    if output_path == STANDARD_STREAM:
        _write(path, sys.stdout.buffer, is_terminal=sys.stdout.isatty())
    else:
        with atomic_file(Path(output_path), "The cache is as it was") as file:
            _write(path, file)
    return 0


def _show(path: Path, *, as_json: bool) -> None:
    models = upkeep.entries_by_model(path) if path.exists() else []
    size, entries = upkeep.file_bytes(path), sum(model.entries for model in models)
    if as_json:
        facts = [
            {
                "engine": model.engine,
                "model": model.model,
                "entries": model.entries,
                "answer_bytes": model.answer_bytes,
                "last_used": model.last_used.isoformat(),
            }
            for model in models
        ]
        values = {"path": str(path), "entries": entries, "bytes": size, "models": facts}
        click.echo(json.dumps(values, indent=2))
        return
    click.echo(f"path     {printable_line(str(path))}")
    click.echo(f"answers  {entries:,}")
    click.echo(f"size     {format_bytes(size)}")
    if models:
        click.echo()
        _print_models(models)


def _print_models(models: list[upkeep.ModelEntries]) -> None:
    table = Table("engine", "model", "answers", "size", "last used", box=None, pad_edge=False)
    for model in models:
        table.add_row(
            model.engine,
            printable_line(model.model),
            f"{model.entries:,}",
            format_bytes(model.answer_bytes),
            f"{model.last_used.astimezone():%Y-%m-%d %H:%M}",
        )
    print_table(table)


def _write(path: Path, file: BinaryIO, *, is_terminal: bool = False) -> None:
    if not path.exists():
        return
    with closing(upkeep.export(path)) as entries:
        for entry in entries:
            line = write_json(entry) + b"\n"
            file.write(printable_json(line.decode()).encode() if is_terminal else line)
    file.flush()
