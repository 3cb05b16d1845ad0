"""`oumi report`: one HTML file that shows what came out, or the same page while the run lasts."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from oumi.cli.extras import require_serve
from oumi.cli.signals import SigtermInterrupt, sigterm_interrupts
from oumi.core.printable import printable

_EPILOG = """\b
oumi report answers.jsonl                 writes answers.report.html
oumi report small.jsonl large.jsonl       two runs of the same input, side by side
oumi report --serve answers.jsonl         the page of a run that may still last

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
@click.option(
    "--serve", "serves", is_flag=True, help="Show one run here, while it lasts and after."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Where --serve listens, on this machine alone; left out: any that is free.",
)
def command(
    outputs: tuple[str, ...],
    output: str | None,
    opens: bool,
    rows: int | None,
    serves: bool,
    port: int | None,
) -> int:
    """Write one HTML file that shows the run of OUTPUT, or several runs side by side.

    OUTPUT is what --output_path named: conversations, or a table (.parquet, .csv). With --serve no
    file is written: the page is at an address of this machine, and follows the run.
    """
    if serves:
        if output is not None or rows is not None or len(outputs) > 1:
            raise click.UsageError("--serve shows all rows of one run, and writes no file")
        return _serve(Path(outputs[0]), port or 0, opens)
    if port is not None:
        raise click.UsageError("--port is for --serve")
    return _write([Path(one) for one in outputs], output, rows, opens)


def _write(outputs: list[Path], output: str | None, rows: int | None, opens: bool) -> int:
    from oumi.report.run_part import MOST_ROWS
    from oumi.report.write import write_report

    path = None if output is None else Path(output)
    written = write_report(outputs, path, most_rows=rows or MOST_ROWS)
    click.echo(printable(str(written)))
    if opens:
        webbrowser.open(written.resolve().as_uri())
    return 0


def _serve(output: Path, port: int, opens: bool) -> int:
    """Serve until a signal, which is how it is meant to end."""
    require_serve("oumi report --serve")
    from oumi.server.report.running import serve_report

    def on_ready(address: str) -> None:
        click.echo(f"ready: {address}", err=True)
        if opens:
            webbrowser.open(address)

    with sigterm_interrupts():
        try:
            serve_report(output, port, on_ready)
        except (SigtermInterrupt, KeyboardInterrupt):
            click.echo("stopped", err=True)
    return 0
