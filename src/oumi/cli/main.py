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
    "infer": "Answer a question, or each row of a file, or chat in the terminal (-i).",
    "embed": "Turn each text of a file into a vector.",
    "chat": "Chat in the terminal.",
    "serve": "Serve models over HTTP, as the APIs of OpenAI and Anthropic.",
    "batch": "Submit jobs, and collect their answers later.",
    "cache": "Show, prune and export the answers that are kept across runs.",
    "merge": "Make one output of the parts of a run.",
    "compare": "Run one input under several models or settings, and compare what comes out.",
    "report": "Write one HTML file that shows what came out, of one run or of several.",
    "show": "Print the conversations of a file in a readable form.",
    "engines": "List the engines, and which could answer here.",
    "models": "List the models that an API offers.",
    "config": "Show and change the defaults, such as the model.",
    "doctor": "Check the installation: versions, engines, keys, GPU.",
    "completion": "Print what makes a shell complete this command.",
}


_LIKE_A_COMMAND = 0.8
"""How similar a word is to be to a command to be one that was mistyped: `infr` is, `what` is not,
although it has three letters of `chat`."""


class Commands(click.Group):
    """A group in which each command ends as an exit code, whatever happens in it.

    Words that begin with no command are those of `oumi infer`: `oumi "What is 2+2?"`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front that is left out."""
        own = {name for param in self.get_params(ctx) for name in param.opts}
        if args and not ctx.resilient_parsing and args[0] not in {*self.commands, *own}:
            _check_is_no_slip(args[0], ctx)
            args = ["infer", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and exit."""
        _print_warnings()
        _warn_of_clash()
        ctx.exit(guard(lambda: super(Commands, self).invoke(ctx)))


def _check_is_no_slip(word: str, ctx: click.Context) -> None:
    """Raise UsageError for a word that looks like a command: a question may cost money."""
    if not word.isalpha():
        return
    from oumi.core.names import nearest

    swapped = [name for name in _COMMANDS if sorted(name) == sorted(word)]
    if guesses := swapped or nearest(word, _COMMANDS, least=_LIKE_A_COMMAND):
        raise click.UsageError(
            f"No such command '{word}'. Did you mean {guesses[0]}? To ask it as a question: "
            f"oumi infer {word}",
            ctx,
        )


def _print_warnings() -> None:
    """Let the library's warnings reach stderr."""
    import logging

    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logging.addLevelName(level, logging.getLevelName(level).lower())
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)


def _warn_of_clash() -> None:
    """Say so where another distribution has files in the same places, or had."""
    from oumi_infer.clash import find_clash

    clash = find_clash()
    if clash is not None:
        click.echo(f"warning: {clash.text}", err=True)


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
    oumi "What is 2+2?"                    ask the model in this package
    oumi -m gpt-4o-mini "What is 2+2?"     ask another one
    cat notes.txt | oumi "Sum this up"     ask about a text
    oumi chat                              chat
    oumi infer questions.csv --output_path answers.csv
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
