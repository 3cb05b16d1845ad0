"""`oumi infer -i`: a chat in the terminal, or one turn a line from a pipe."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Iterator

import click

from oumi.cli.chat_commands import HELP, carry_out
from oumi.cli.errors import say_error
from oumi.cli.text import shown_calls, visible
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import Conversation, FinishReason, Message, Role
from oumi.errors import OumiError
from oumi.inference import InferenceEngine, build_engine

_PROMPT = "> "

Pieces = Generator[Delta, None, None]


class Chat:
    """A conversation that goes on. `system` stays when the turns are forgotten."""

    def __init__(self, engine: InferenceEngine, config: InferenceConfig):
        self._engine = engine
        self._config = config
        self.system: str | None = None
        self.turns: list[Message] = []

    @property
    def conversation(self) -> Conversation:
        """All of it."""
        system = [Message(role=Role.SYSTEM, content=self.system)] if self.system else []
        return Conversation(messages=system + self.turns)

    def ask(self, text: str) -> Pieces:
        """The answer piece by piece. What came of it stays in the history, however it ends."""
        self.turns.append(Message(role=Role.USER, content=text))
        answer: list[str] = []
        completion: Completion | None = None
        try:
            with contextlib.closing(self._stream()) as pieces:
                for piece in pieces:
                    answer.append(piece.content)
                    completion = piece.completion
                    yield piece
        finally:
            self._keep("".join(answer), completion)

    def _stream(self) -> Pieces:
        return self._engine.stream(self.conversation, self._config)

    def _keep(self, text: str, completion: Completion | None) -> None:
        if completion is not None:
            self.turns.append(completion.message)
        elif text:
            self.turns.append(Message(role=Role.ASSISTANT, content=text))
        else:
            self.turns.pop()  # a question without any answer would confuse the next turn


def run(config: InferenceConfig) -> int:
    """Chat until the user leaves. Returns the exit code."""
    with build_engine(config) as engine:
        chat = Chat(engine, config)
        if not sys.stdin.isatty():
            _talk(chat, _piped_lines())
            return 0
        click.echo(f"{config.model.model_name} · {HELP.splitlines()[0]}", err=True)
        _talk(chat, _typed_lines())
    return 0


def _talk(chat: Chat, lines: Iterator[str]) -> None:
    for line in lines:
        if line.startswith("/") and not line.startswith("//"):
            if not carry_out(chat, line):
                return
        elif line.strip():
            _answer(chat, line.removeprefix("/"))


def _answer(chat: Chat, text: str) -> None:
    try:
        with contextlib.closing(chat.ask(text)) as pieces:
            for piece in pieces:
                _show(piece)
        click.echo()
    except KeyboardInterrupt:
        click.echo(click.style(" [stopped]", dim=True))
        if not sys.stdin.isatty():
            raise
    except OumiError as error:
        if error.ends_run or not sys.stdin.isatty():
            raise
        click.echo()
        say_error(str(error))


def _show(piece: Delta) -> None:
    if piece.reasoning_content and sys.stdout.isatty():
        click.echo(click.style(visible(piece.reasoning_content), dim=True), nl=False)
    click.echo(visible(piece.content), nl=False)
    if piece.completion is None:
        return
    for call in shown_calls(piece.completion.message):
        click.echo(click.style(call, dim=True))
    if piece.completion.finish_reason == FinishReason.LENGTH:
        note = " [cut off: no room for more]"
        click.echo(click.style(note, dim=True), nl=False, err=True)


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
            line = _read()
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            interrupts += 1
            click.echo("" if interrupts == 2 else "\n(Ctrl-C again, or Ctrl-D, leaves)")
            continue
        interrupts = 0
        yield line


def _read() -> str:
    if sys.stdout.isatty():
        return input(_PROMPT)
    click.echo(_PROMPT, nl=False, err=True)  # `input` would put it among the answers
    return input()
