"""`oumi infer`: answer a question or a file, or chat."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from oumi.cli import last_conversation
from oumi.cli.config_list import list_option
from oumi.cli.continue_option import ContinuableCommand, continue_option
from oumi.cli.file_run import EXIT_CODES, answer_file
from oumi.cli.log_options import log_options, show_settings
from oumi.cli.media_option import load_media, media_option
from oumi.cli.overrides import config_option
from oumi.cli.question import Question, ask, with_named_engine
from oumi.cli.ranked_settings import read_ranked
from oumi.cli.setting_names import ListsSettings
from oumi.cli.shortcuts import shortcut_options
from oumi.cli.signals import sigterm_interrupts
from oumi.cli.words import read_words, with_files, with_standard_input
from oumi.core.configs import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.printable import printable
from oumi.runner.expected_tokens import FEWEST_ANSWERS

_EPILOG = """\b
A run over a file that was interrupted goes on where it stopped when the same
command is given again.

"""


class _InferCommand(ListsSettings, ContinuableCommand):
    """Lists all settings in its help."""


@click.command(
    "infer",
    cls=_InferCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG + EXIT_CODES,
)
@click.argument("given", metavar="[QUESTION] [FILE]...", nargs=-1, required=False)
@shortcut_options
@media_option
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    help="Print the answer as text, or the whole conversation as JSON. A file: --output_path.",
)
@continue_option
@click.option("-i", "--interactive", is_flag=True, help="Chat in the terminal: see `oumi chat`.")
@config_option()
@list_option
@click.option(
    "--dry_run",
    "--dry-run",
    is_flag=True,
    help="Ask nothing and write nothing: show prompts, count tokens, and say what it would cost.",
)
@click.option(
    "--pilot",
    type=click.IntRange(min=FEWEST_ANSWERS),
    metavar="N",
    help="Ask N rows, spread over the input, and say what the others will cost by what they took.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show errors only, no progress, no summary.")
@log_options
@click.pass_context
def command(
    ctx: click.Context,
    given: tuple[str, ...],
    images: tuple[str, ...],
    form: str | None,
    continues: bool,
    interactive: bool,
    path: Path | None,
    dry_run: bool,
    pilot: int | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Answer a question, or each row of a file, or chat in the terminal (-i).

    \b
    oumi infer "What is 2+2?"                             oumi "What is 2+2?" for short
    oumi infer -m gpt-4o-mini "Explain monads"            a model by its name
    cat notes.txt | oumi infer "Summarise in a sentence"  both in one request
    oumi infer questions.csv --output_path answers.csv    a row at a time
    oumi infer reviews.csv "Is this kind? {{ text }}" --schema 'kind bool'
    """
    question, files = read_words(given)
    last = last_conversation.load() if continues else None
    config = read_ranked(ctx, path, last.config if last else None)
    if files:
        config, question = with_files(config, files, question), None
    if verbose:
        show_settings(config)
    if dry_run or pilot:
        return _estimate(config, ctx, pilot or 0, quiet=quiet)
    if question is None and config.input_path is not None and not interactive:
        _check_no_question_options(ctx)
        return _answer_rows(config, quiet=quiet)
    _note_unused_input(config)
    media, earlier = load_media(images, config), last.conversation if last else None
    if interactive or (question is None and sys.stdin.isatty()):
        # Imports what a chat needs.
        from oumi.cli.chat import chat

        return chat(config, media, earlier=earlier, question=question)
    question = with_standard_input(question)
    if question is None:
        raise click.UsageError(
            'Nothing to answer: give a question ("…"), a file (--input_path FILE; - is standard '
            "input), or -i for a chat.",
            ctx,
        )
    asked = Question(text=question, media=media, earlier=earlier)
    with sigterm_interrupts():
        return ask(asked, config, as_json=form == "json", quiet=quiet)


def _check_no_question_options(ctx: click.Context) -> None:
    """Raise UsageError for an option that is about one question where rows are answered."""
    given = [
        option
        for name, option in (("images", "--image"), ("form", "-o"), ("continues", "--continue"))
        if ctx.params[name]
    ]
    if given:
        raise click.UsageError(
            f"{given[0]} is for one question or a chat (-i); rows of a file have their own.", ctx
        )


def _estimate(config: InferenceConfig, ctx: click.Context, pilot: int, *, quiet: bool) -> int:
    from oumi.cli.estimate import print_estimate

    if config.input_path is None:
        raise click.UsageError("--dry_run and --pilot are for the rows of a file: name it.", ctx)
    with sigterm_interrupts():
        return print_estimate(with_named_engine(config, quiet=quiet), pilot, quiet=quiet)


def _answer_rows(config: InferenceConfig, *, quiet: bool) -> int:
    if config.input_path == STANDARD_STREAM and sys.stdin.isatty():
        _note("Reading conversations from the terminal, one JSON object a line; Ctrl-D ends.")
    config = with_named_engine(config, quiet=quiet)
    if not config.output_path:
        config = config.model_copy(update={"output_path": STANDARD_STREAM})
    with sigterm_interrupts():
        return answer_file(config, quiet=quiet)


def _note_unused_input(config: InferenceConfig) -> None:
    if config.input_path is not None:
        _note(f"warning: {config.input_path} is not read: a question or a chat was asked for")


def _note(text: str) -> None:
    click.echo(printable(text), err=True)
