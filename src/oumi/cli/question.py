"""One question, which is answered on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from oumi.backends.engine_choice import with_engine
from oumi.backends.registry import find_engine
from oumi.cli import last_conversation
from oumi.cli.answering import answer_whole, is_terminal, note_cut_off, show_stream
from oumi.cli.text import call_lines, content_text
from oumi.cli.user_message import user_message
from oumi.core.configs import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.printable import printable_json, printable_line
from oumi.core.types.conversation import (
    ContentItem,
    Conversation,
    FinishReason,
    Message,
    Role,
)
from oumi.inference import InferenceEngine, build_engine


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: a text, with images before it, at the end of a conversation."""

    text: str
    media: Sequence[ContentItem] = ()
    earlier: Conversation | None = None

    def as_conversation(self, system: str | None) -> Conversation:
        """The conversation to be answered. A system prompt takes the place of an earlier one."""
        messages = list(self.earlier.messages) if self.earlier else []
        if system is not None:
            first = Message(role=Role.SYSTEM, content=system)
            messages = [first, *(m for m in messages if m.role is not Role.SYSTEM)]
        return Conversation(messages=[*messages, user_message(self.text, self.media)])


def ask(question: Question, config: InferenceConfig, *, as_json: bool, quiet: bool) -> int:
    """Answer a question. Returns the exit code."""
    config = with_named_engine(config, quiet=quiet)
    conversation = question.as_conversation(config.system)
    output = None if config.output_path == STANDARD_STREAM else config.output_path
    # The system prompt is in the conversation now.
    config = config.model_copy(update={"system": None, "input_path": None, "output_path": output})
    with build_engine(config) as engine:
        if _streams(config) and not as_json:
            answered = _stream(engine, conversation, config)
        else:
            answered = _print_whole(engine, conversation, config, as_json=as_json)
    last_conversation.save(answered, config)
    return 0


def with_named_engine(config: InferenceConfig, *, quiet: bool) -> InferenceConfig:
    """The settings with their engine named. Where the model's name said that an API is asked, so
    does a line on standard error.
    """
    named = with_engine(config)
    is_found = config.engine is None and find_engine(str(named.engine)).provider is not None
    if is_found and not quiet:
        model = printable_line(named.model.model_name)
        click.echo(f"{model}: answered by {named.engine} (--engine names another)", err=True)
    return named


def _streams(config: InferenceConfig) -> bool:
    """Whether the answer is shown as it comes: not one that may be asked for again, for not being
    valid, and not one of several.
    """
    given = config.generation
    is_plain = given.guided_decoding is None and given.num_samples == 1
    return is_terminal() and is_plain and not config.output_path


def _stream(
    engine: InferenceEngine, conversation: Conversation, config: InferenceConfig
) -> Conversation:
    last = show_stream(engine.stream(conversation, config))
    answer = [] if last is None or last.completion is None else [last.completion.message]
    return conversation.model_copy(update={"messages": [*conversation.messages, *answer]})


def _print_whole(
    engine: InferenceEngine, conversation: Conversation, config: InferenceConfig, *, as_json: bool
) -> Conversation:
    answered = answer_whole(engine, conversation, config)
    if config.output_path is None:
        for number, one in enumerate(answered):
            if number and not as_json:
                click.echo()
            click.echo(_shown(one, as_json=as_json))
    if any(one.metadata.get("finish_reason") == FinishReason.LENGTH for one in answered):
        note_cut_off()
    return answered[0]


def _shown(answered: Conversation, *, as_json: bool) -> str:
    """The answer as text, or the conversation as JSON. On a terminal it cannot steer it."""
    if as_json:
        return printable_json(answered.to_json()) if is_terminal() else answered.to_json()
    message = answered.messages[-1]
    if is_terminal():
        return "\n".join([content_text(message), *call_lines(message)]).strip("\n")
    text = message.compute_flattened_text_content("\n")
    return "\n".join(filter(None, [text, *call_lines(message)]))
