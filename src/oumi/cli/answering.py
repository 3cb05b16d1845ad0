"""One answer of a conversation: shown as it comes on a terminal, or whole."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import click

from oumi import errors
from oumi.cli.text import call_lines
from oumi.core.configs import InferenceConfig
from oumi.core.printable import printable
from oumi.core.types.completion import Delta
from oumi.core.types.conversation import Conversation, FinishReason
from oumi.core.types.failure import Failure
from oumi.errors import EngineError, OumiError, StructuredOutputError, UnavailableError

if TYPE_CHECKING:
    from oumi.cli.answer_screen import AnswerScreen
    from oumi.inference import InferenceEngine

Deltas = Generator[Delta, None, None]


def show_stream(deltas: Deltas) -> Delta | None:
    """Show an answer as it comes, on the terminal of standard output, and close the stream.

    Returns its last piece, which carries the whole.
    """
    # Most of what is answered goes to files.
    from rich.console import Console

    from oumi.cli.answer_screen import AnswerScreen

    console = Console(highlight=False)
    with contextlib.closing(deltas):
        last = _echo(deltas) if console.is_dumb_terminal else _draw(deltas, AnswerScreen(console))
    if last is not None:
        print_calls_and_end(last)
    return last


def print_plain(deltas: Deltas) -> None:
    """Print an answer as it comes to what is no terminal, and close the stream."""
    with contextlib.closing(deltas):
        for delta in deltas:
            click.echo(delta.content, nl=False)
    click.echo()


def print_calls_and_end(delta: Delta) -> None:
    """Show what of a finished answer is no text: tool calls, and that it was cut off."""
    if delta.completion is None:
        return
    for line in call_lines(delta.completion.message):
        click.echo(click.style(line, dim=True))
    if delta.completion.finish_reason == FinishReason.LENGTH:
        note_cut_off()


def note_cut_off() -> None:
    """Say that an answer is longer than it may be."""
    click.echo(click.style("[cut off: --max_tokens allows no more]", dim=True), err=True)


def answer_whole(
    engine: InferenceEngine, conversation: Conversation, config: InferenceConfig
) -> list[Conversation]:
    """The conversation with its answer, or with each of its samples; tried again where that can
    help. Raises the error of the answer that failed.
    """
    result = engine.infer_partial([conversation], config, progress=False)
    for failure in result.failures.values():
        raise _error_of(failure)
    return list(result.conversations)


def is_terminal() -> bool:
    """Whether standard output is one."""
    return sys.stdout.isatty()


def _error_of(failure: Failure) -> OumiError:
    """The error again, for the exit code that belongs to it."""
    if failure.error_class == StructuredOutputError.__name__:
        return StructuredOutputError(failure.error_message, failure.reply or "", failure.usage)
    unnamed = UnavailableError if failure.is_retryable else EngineError
    kind: type[OumiError] = getattr(errors, failure.error_class, unnamed)
    return kind(failure.error_message)


def _echo(deltas: Deltas) -> Delta | None:
    last: Delta | None = None
    for last in deltas:
        click.echo(printable(last.content), nl=False)
    click.echo()
    return last


def _draw(deltas: Deltas, screen: AnswerScreen) -> Delta | None:
    last: Delta | None = None
    with screen:
        for last in deltas:
            screen.add_reasoning(last.reasoning_content)
            screen.add(last.content)
    return last
