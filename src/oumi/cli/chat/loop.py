"""From one message to the next, until the user leaves."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from oumi.cli import last_conversation
from oumi.cli.answering import is_terminal, print_plain, show_stream
from oumi.cli.chat.commands import EXITS, Draft, Outcome, run_command
from oumi.cli.chat.conversation import Chat, Deltas
from oumi.cli.chat.keyboard import Keyboard
from oumi.cli.errors import print_error
from oumi.core.configs import InferenceConfig
from oumi.core.printable import printable, printable_line
from oumi.core.types.conversation import ContentItem, Conversation
from oumi.errors import OumiError


def run(
    config: InferenceConfig,
    *,
    media: Sequence[ContentItem] = (),
    earlier: Conversation | None = None,
    question: str | None = None,
) -> int:
    """Chat on the terminal. `question` is asked first. Returns the exit code."""
    system_prompt = config.system
    config = config.model_copy(update={"system": None, "input_path": None})
    with Chat(config, system_prompt=system_prompt, media=media, earlier=earlier) as chat:
        _note(f"{_name(chat)} · /help shows the commands, Ctrl-D leaves")
        if chat.messages:
            _note(f"{len(chat.messages)} messages from before")
        if question is not None:
            _answer(chat, chat.stream(question))
        _read_on(chat)
        if chat.totals.answers:
            _note(str(chat.totals))
    return 0


def _read_on(chat: Chat) -> None:
    keyboard = Keyboard(lambda: f"{_name(chat)} · {chat.totals}")
    for text in keyboard.messages():
        if text.partition(" ")[0] in EXITS:
            return
        outcome = _outcome(chat, text)
        if isinstance(outcome, Draft):
            keyboard.draft = outcome.text
        elif not isinstance(outcome, str):
            _answer(chat, outcome)
        elif outcome:
            _note(outcome)


def _outcome(chat: Chat, text: str) -> Outcome:
    """What comes of a message: an answer, or what a command does. Nothing comes of none."""
    if not text.strip():
        return ""
    if text.startswith("/") and not text.startswith("//"):
        return run_command(chat, text)
    return chat.stream(text.removeprefix("/"))


def _answer(chat: Chat, deltas: Deltas) -> None:
    """Show an answer. A refusal is no end: another model or another question may do better."""
    try:
        if is_terminal():
            show_stream(deltas)
        else:
            print_plain(deltas)
    except KeyboardInterrupt:
        _note("[stopped]")
    except OumiError as error:
        print_error(str(error))
    if chat.messages:
        last_conversation.save(chat.conversation, chat.config)


def _name(chat: Chat) -> str:
    return printable_line(chat.config.model.model_name)


def _note(text: str) -> None:
    Console(stderr=True, highlight=False).print(Text(printable(text), "dim"))
