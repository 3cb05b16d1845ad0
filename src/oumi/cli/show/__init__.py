"""`oumi show`: rows of a file in a readable form."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice

import click
from rich.console import Console

from oumi.cli.show.looks import panel, plain
from oumi.cli.show.reading import ShownRow, failures_beside, read_shown


class _Pattern(click.ParamType[re.Pattern[str]]):
    """A regular expression, in any case of letters."""

    name = "pattern"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> re.Pattern[str]:
        try:
            return re.compile(value, re.IGNORECASE)
        except re.error as error:
            self.fail(f"{value!r} is no regular expression: {error}", param, ctx)


@click.command("show")
@click.argument("file")
@click.option("--rows", type=click.IntRange(min=1), metavar="N", help="Show the first N only.")
@click.option(
    "--row",
    "numbers",
    type=click.IntRange(min=1),
    metavar="N",
    multiple=True,
    help="Show the row with this number only; may be given again.",
)
@click.option(
    "--grep",
    "pattern",
    type=_Pattern(),
    metavar="PATTERN",
    help="Show rows only in which this expression matches, in any case of letters.",
)
@click.option("--failed", is_flag=True, help="Show rows only that failed, with the reason.")
@click.option("--no-pager", is_flag=True, help="Print all at once, also on a terminal.")
def command(
    file: str,
    rows: int | None,
    numbers: tuple[int, ...],
    pattern: re.Pattern[str] | None,
    failed: bool,
    no_pager: bool,
) -> int:
    """Print the rows of FILE in a readable form: conversations, a table, the failures of a
    run, or its journal while it lasts. - is standard input, as JSONL.

    What does not fit a terminal goes through the pager (PAGER, or less).
    """
    shown = read_shown(failures_beside(file) if failed else file)
    chosen = (row for row in shown if _is_chosen(row, numbers, pattern, failed=failed))
    _print(islice(chosen, rows), uses_pager=not no_pager)
    return 0


def _is_chosen(
    row: ShownRow, numbers: tuple[int, ...], pattern: re.Pattern[str] | None, *, failed: bool
) -> bool:
    if (numbers and row.number not in numbers) or (failed and not row.has_failed):
        return False
    return pattern is None or pattern.search(plain(row)) is not None


def _print(rows: Iterator[ShownRow], *, uses_pager: bool) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        for row in rows:
            click.echo(plain(row))
    elif uses_pager:
        # As git has it: leave at the end of what fits, show colours, keep it on the screen.
        os.environ.setdefault("LESS", "FRX")
        click.echo_via_pager(_drawn(row, console) for row in rows)
    else:
        for row in rows:
            console.print(panel(row))


def _drawn(row: ShownRow, console: Console) -> str:
    with console.capture() as capture:
        console.print(panel(row))
    return capture.get()
