"""The command `oumi` and the table of its commands.

Nothing but click is imported here: a command's module is imported when the command is called,
so that `oumi --help` is quick.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence

import click

from oumi.cli.errors import guard
from oumi.cli.lazy import LazyCommand

_COMMANDS = {
    "infer": "Answer a file of conversations, or chat in the terminal (-i).",
    "batch": "Submit jobs, and collect their answers later.",
    "report": "Write one HTML file that shows what came out, of one run or of several.",
    "show": "Print the conversations of a file in a readable form.",
    "engines": "List the engines, what each needs, and which are installed here.",
    "models": "List the models that an API offers.",
}


class Commands(click.Group):
    """A group in which each command ends as an exit code, whatever happens in it."""

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and exit."""
        _print_warnings()
        ctx.exit(guard(lambda: super(Commands, self).invoke(ctx)))


def _print_warnings() -> None:
    """Let the library's warnings reach stderr."""
    import logging

    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logging.addLevelName(level, logging.getLevelName(level).lower())
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"oumi-infer {version('oumi-infer')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """LLM inference, on this machine or behind any API.

    \b
    oumi infer -i                                     chat with the model in this package
    oumi infer --input_path in.jsonl --output_path out.jsonl
    oumi infer -c run.yaml --generation.temperature 0.5
    """


for _name, _help in _COMMANDS.items():
    cli.add_command(LazyCommand(_name, f"oumi.cli.{_name}:command", help=_help))


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # An answer may hold what the terminal's encoding cannot show.
            stream.reconfigure(errors="replace")
    with contextlib.suppress(BrokenPipeError):
        cli.main(args, prog_name="oumi")
