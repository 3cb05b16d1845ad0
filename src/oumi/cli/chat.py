"""`oumi infer -i`: a chat in the terminal, or one turn a line from a pipe."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import click

from oumi.cli.errors import print_error
from oumi.cli.text import call_lines
from oumi.core.configs import InferenceConfig
from oumi.core.names import did_you_mean
from oumi.core.printable import printable
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import (
    ContentItem,
    Conversation,
    FinishReason,
    Message,
    Role,
    Type,
)
from oumi.errors import OumiError
from oumi.inference import InferenceEngine, build_engine

_PROMPT = "> "
_HELP = """\
/help shows the commands, Ctrl-D leaves, Ctrl-C stops an answer
  /system TEXT  set the system prompt; without TEXT, take it away
  /reset        forget the conversation, keep the system prompt
  /save PATH    add the conversation to a JSONL file
  /exit         leave
  //text        say something that begins with a /"""

Deltas = Generator[Delta, None, None]


class Chat:
    """A conversation that goes on. The system prompt, and the `media` before the first question,
    stay when the messages are forgotten.
    """

    def __init__(self, engine: InferenceEngine, config: InferenceConfig):
        self._engine = engine
        self._config = config
        self.system_prompt: str | None = None
        self.media: list[ContentItem] = []
        self.messages: list[Message] = []

    @property
    def conversation(self) -> Conversation:
        """The system prompt, if there is one, and all messages."""
        prompt = self.system_prompt
        system = [Message(role=Role.SYSTEM, content=prompt)] if prompt else []
        return Conversation(messages=system + self.messages)

    def stream(self, text: str) -> Deltas:
        """Send a message of the user, and stream the answer.

        An answer that is stopped or breaks off stays in the conversation as far as it came.
        """
        self.messages.append(self._question(text))
        contents: list[str] = []
        completion: Completion | None = None
        try:
            with contextlib.closing(self._engine_stream()) as deltas:
                for delta in deltas:
                    contents.append(delta.content)
                    completion = delta.completion
                    yield delta
        finally:
            self._append_answer("".join(contents), completion)

    def _question(self, text: str) -> Message:
        if not self.media or self.messages:
            return Message(role=Role.USER, content=text)
        items = [*self.media, ContentItem(type=Type.TEXT, content=text)]
        return Message(role=Role.USER, content=items)

    def _engine_stream(self) -> Deltas:
        return self._engine.stream(self.conversation, self._config)

    def _append_answer(self, text: str, completion: Completion | None) -> None:
        if completion is not None:
            self.messages.append(completion.message)
        elif text:
            self.messages.append(Message(role=Role.ASSISTANT, content=text))
        else:
            self.messages.pop()  # a question without any answer would confuse the next turn


def infer_interactive(
    config: InferenceConfig,
    *,
    input_image_bytes: Sequence[bytes] | None = None,
    system_prompt: str | None = None,
    console: object = None,
) -> None:
    """Chat in the terminal until the user leaves; `oumi infer -i` as a function.

    The images stand before the first question. A `console`, in which the upstream library shows
    that it waits, is not needed: answers appear as they are made.
    """
    images = [ContentItem(type=Type.IMAGE_BINARY, binary=one) for one in input_image_bytes or ()]
    run(config, system_prompt, images)


def run(
    config: InferenceConfig,
    system_prompt: str | None = None,
    media: Sequence[ContentItem] = (),
) -> int:
    """Chat until the user leaves. Returns the exit code."""
    with build_engine(config) as engine:
        chat = Chat(engine, config)
        chat.system_prompt, chat.media = system_prompt, list(media)
        if sys.stdin.isatty():
            name = printable(config.model.model_name)
            click.echo(f"{name} · {_HELP.splitlines()[0]}", err=True)
            _handle_lines(chat, _typed_lines())
        else:
            _handle_lines(chat, _piped_lines())
    return 0


def _handle_lines(chat: Chat, lines: Iterator[str]) -> None:
    for line in lines:
        if line.partition(" ")[0] in ("/exit", "/quit"):
            return
        if line.startswith("/") and not line.startswith("//"):
            _print_note(_run_command(chat, line))
        elif line.strip():
            _answer(chat, line.removeprefix("/"))


def _answer(chat: Chat, text: str) -> None:
    try:
        with contextlib.closing(chat.stream(text)) as deltas:
            for delta in deltas:
                _print_delta(delta)
        click.echo()
    except KeyboardInterrupt:
        click.echo(click.style(" [stopped]", dim=True))
        if not sys.stdin.isatty():
            raise
    except OumiError as error:
        if error.ends_run or not sys.stdin.isatty():
            raise
        click.echo()
        print_error(str(error))


def _print_delta(delta: Delta) -> None:
    if delta.reasoning_content and sys.stdout.isatty():
        click.echo(click.style(printable(delta.reasoning_content), dim=True), nl=False)
    click.echo(printable(delta.content), nl=False)
    if delta.completion is None:
        return
    for line in call_lines(delta.completion.message):
        click.echo(click.style(line, dim=True))
    if delta.completion.finish_reason == FinishReason.LENGTH:
        note = " [cut off: no room for more]"
        click.echo(click.style(note, dim=True), nl=False, err=True)


def _print_note(text: str) -> None:
    click.echo(click.style(printable(text), dim=True), err=True)


def _piped_lines() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\n")


def _typed_lines() -> Iterator[str]:
    """Lines from the keyboard. Ctrl-C clears a line; twice in a row, or Ctrl-D, ends."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  gives `input` its line editing
    interrupts = 0
    while interrupts < 2:
        try:
            line = _read_line()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            interrupts += 1
            click.echo("" if interrupts == 2 else "\n(Ctrl-C again, or Ctrl-D, leaves)")
            continue
        interrupts = 0
        yield line


def _read_line() -> str:
    if sys.stdout.isatty():
        return input(_PROMPT)
    click.echo(_PROMPT, nl=False, err=True)  # `input` would put it among the answers
    return input()


def _run_command(chat: Chat, line: str) -> str:
    """Run a line such as `/save chat.jsonl`. Returns what to tell the user."""
    name, _, argument = line.partition(" ")
    if name in _COMMANDS:
        return _COMMANDS[name](chat, argument.strip())
    hint = did_you_mean(name, [*_COMMANDS, "/exit"], show=str) or "/help shows the commands"
    return f"{name}: no such command; {hint}"


def _show_help(chat: Chat, argument: str) -> str:
    return _HELP


def _set_system_prompt(chat: Chat, argument: str) -> str:
    chat.system_prompt = argument or None
    return "system prompt set" if argument else "no system prompt"


def _reset(chat: Chat, argument: str) -> str:
    chat.messages.clear()
    return "conversation forgotten"


def _save(chat: Chat, argument: str) -> str:
    if not argument:
        return "/save needs a path"
    conversation = chat.conversation
    try:
        with Path(argument).expanduser().open("a", encoding="utf-8") as file:
            file.write(conversation.to_json() + "\n")
    except OSError as error:
        return f"{argument}: not saved: {error.strerror}"
    return f"{len(conversation.messages)} messages added to {argument}"


_COMMANDS: dict[str, Callable[[Chat, str], str]] = {
    "/help": _show_help,
    "/system": _set_system_prompt,
    "/reset": _reset,
    "/save": _save,
}
