"""`oumi report`: one HTML file that shows what came out."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from oumi.core.printable import printable

_EPILOG = """\b
oumi report answers.jsonl                 writes answers.report.html
oumi report small.jsonl large.jsonl       two runs of the same input, side by side

\b
The file needs nothing else: it can be mailed, and is opened by any browser, offline.
"""


@click.command("report", epilog=_EPILOG)
@click.argument("outputs", nargs=-1, required=True, metavar="OUTPUT...")
@click.option("-o", "--output", metavar="FILE", help="Where it goes; left out: beside OUTPUT.")
@click.option("--open", "opens", is_flag=True, help="Show it in the browser.")
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of more rows than this, hold a sample and every failure; left out: 100,000.",
)
def command(outputs: tuple[str, ...], output: str | None, opens: bool, rows: int | None) -> int:
    """Write one HTML file that shows the run of OUTPUT, or several runs side by side.

    OUTPUT is what --output_path named: conversations, or a table (.parquet, .csv).
    """
    from oumi.report.run_part import MOST_ROWS
    from oumi.report.write import write_report

    path = None if output is None else Path(output)
    written = write_report([Path(one) for one in outputs], path, most_rows=rows or MOST_ROWS)
    click.echo(printable(str(written)))
    if opens:
        webbrowser.open(written.resolve().as_uri())
    return 0
