"""`oumi chat`: a conversation in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from oumi.cli import last_conversation
from oumi.cli.continue_option import ContinuableCommand, continue_option
from oumi.cli.log_options import log_options, show_settings
from oumi.cli.media_option import load_media, media_option
from oumi.cli.overrides import config_option
from oumi.cli.question import Question, ask, with_named_engine
from oumi.cli.ranked_settings import read_ranked
from oumi.cli.shortcuts import shortcut_options
from oumi.cli.words import with_standard_input
from oumi.core.configs import InferenceConfig
from oumi.core.types.conversation import ContentItem, Conversation, Type


@click.command("chat", cls=ContinuableCommand, options_metavar="[OPTIONS] [--SETTING VALUE]...")
@click.argument("question", required=False)
@shortcut_options
@media_option
@continue_option
@config_option()
@log_options
@click.pass_context
def command(
    ctx: click.Context,
    question: str | None,
    images: tuple[str, ...],
    continues: bool,
    path: Path | None,
    verbose: bool,
) -> int:
    """Chat in the terminal, beginning with QUESTION if it is given.

    A text from a pipe is one message, and its answer is printed.
    """
    last = last_conversation.load() if continues else None
    config = read_ranked(ctx, path, last.config if last else None)
    if verbose:
        show_settings(config)
    earlier = last.conversation if last else None
    return chat(config, load_media(images, config), earlier=earlier, question=question)


def chat(
    config: InferenceConfig,
    media: Sequence[ContentItem] = (),
    *,
    earlier: Conversation | None = None,
    question: str | None = None,
) -> int:
    """Chat on a terminal; answer one message from a pipe. Returns the exit code."""
    if sys.stdin.isatty():
        # Imports what reads the keyboard.
        from oumi.cli.chat.loop import run

        if config.generation.num_samples > 1:
            raise click.UsageError("A chat has one answer a turn: leave out -n.")
        config = with_named_engine(config, quiet=False)
        return run(config, media=media, earlier=earlier, question=question)
    text = with_standard_input(question)
    if text is None:
        raise click.UsageError("Standard input holds no message.")
    asked = Question(text=text, media=media, earlier=earlier)
    return ask(asked, config, as_json=False, quiet=False)


def infer_interactive(
    config: InferenceConfig,
    *,
    input_image_bytes: Sequence[bytes] | None = None,
    system_prompt: str | None = None,
    console: object = None,
) -> None:
    """Chat in the terminal until the user leaves; `oumi chat` as a function.

    The images stand before the first question. A `console`, in which the upstream library shows
    that it waits, is not needed: answers appear as they are made.
    """
    media = [ContentItem(type=Type.IMAGE_BINARY, binary=one) for one in input_image_bytes or ()]
    if system_prompt is not None:
        config = config.merge(InferenceConfig(system=system_prompt))
    chat(config, media)
