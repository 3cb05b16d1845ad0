"""What is typed in a chat: messages of one line or of many, with a history across chats."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from platformdirs import user_state_path
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output
from prompt_toolkit.styles import Style

from oumi.cli.chat.commands import COMMANDS, EXITS

_PROMPT = "> "
_QUOTES = '"""'
_STYLE = Style.from_dict({"bottom-toolbar": "noreverse ansibrightblack"})


class Keyboard:
    """Reads messages. `status` says what stands below the line that is typed."""

    def __init__(self, status: Callable[[], str]):
        # The answers alone go to standard output, where that is no terminal.
        shown_on = sys.stdout if sys.stdout.isatty() else sys.stderr
        self._session: PromptSession[str] = PromptSession(
            _PROMPT,
            history=_history(),
            multiline=True,
            prompt_continuation=lambda width, *_: " " * width,
            key_bindings=_key_bindings(),
            completer=_SlashCompleter(),
            complete_while_typing=False,
            enable_open_in_editor=True,
            bottom_toolbar=lambda: FormattedText([("", status())]),
            style=_STYLE,
            output=create_output(shown_on),
        )
        self.draft = ""
        """What the next line begins with."""

    def messages(self) -> Iterator[str]:
        """What is typed, until Ctrl-D. Ctrl-C clears a line; twice in a row it ends."""
        interrupts = 0
        while interrupts < 2:
            draft, self.draft = self.draft, ""
            try:
                text = self._session.prompt(default=draft)
            except EOFError:
                return
            except KeyboardInterrupt:
                interrupts += 1
                if interrupts < 2:
                    click.echo("(Ctrl-C again, or Ctrl-D, leaves)", err=True)
                continue
            interrupts = 0
            yield _without_quotes(text)


class _SlashCompleter(Completer):
    """Commands, and the paths that some of them take."""

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        name, space, argument = document.text_before_cursor.partition(" ")
        if not name.startswith("/"):
            return
        if not space:
            matching = (one for one in (*COMMANDS, *EXITS) if one.startswith(name))
            yield from (Completion(one, start_position=-len(name)) for one in matching)
        elif name in COMMANDS and COMMANDS[name].argument == "PATH":
            path = Document(argument, len(argument))
            yield from PathCompleter(expanduser=True).get_completions(path, event)


def _key_bindings() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _is_open(buffer.text):
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _is_open(text: str) -> bool:
    """Whether quotes are open that a later line is to close."""
    started = text.lstrip()
    return started.startswith(_QUOTES) and not (
        len(started) >= 2 * len(_QUOTES) and started.rstrip().endswith(_QUOTES)
    )


def _without_quotes(text: str) -> str:
    inner = text.strip()
    if inner.startswith(_QUOTES) and len(inner) >= 2 * len(_QUOTES) and inner.endswith(_QUOTES):
        return inner[len(_QUOTES) : -len(_QUOTES)].strip("\n")
    return text


def _history() -> History:
    """The lines of earlier chats; for this user's eyes only. None where they cannot be kept."""
    path = history_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def history_path() -> Path:
    """Where the lines of earlier chats are; on Linux XDG_STATE_HOME moves the folder."""
    return user_state_path("oumi") / "chat_history"
