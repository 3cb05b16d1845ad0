"""The commands of a chat, which begin with a `/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oumi.core.names import did_you_mean

if TYPE_CHECKING:
    from oumi.cli.chat import Chat

HELP = """\
/help shows the commands, Ctrl-D leaves, Ctrl-C stops an answer
  /system TEXT  set the system prompt; without TEXT, take it away
  /reset        forget the conversation, keep the system prompt
  /save PATH    add the conversation to a JSONL file
  /exit         leave
  //text        say something that begins with a /"""


def carry_out(chat: Chat, line: str) -> bool:
    """Do what a line such as `/save chat.jsonl` says. Returns whether the chat goes on."""
    name, _, argument = line.partition(" ")
    if name in ("/exit", "/quit"):
        return False
    if name in _COMMANDS:
        _say(_COMMANDS[name](chat, argument.strip()))
    else:
        hint = did_you_mean(name, [*_COMMANDS, "/exit"], show=str) or "/help shows the commands"
        _say(f"{name}: no such command; {hint}")
    return True


def _help(chat: Chat, argument: str) -> str:
    return HELP


def _system(chat: Chat, argument: str) -> str:
    chat.system = argument or None
    return "system prompt set" if argument else "no system prompt"


def _reset(chat: Chat, argument: str) -> str:
    chat.turns.clear()
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
    "/help": _help,
    "/system": _system,
    "/reset": _reset,
    "/save": _save,
}


def _say(text: str) -> None:
    click.echo(click.style(text, dim=True), err=True)
