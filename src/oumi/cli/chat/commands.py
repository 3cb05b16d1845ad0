"""The lines of a chat that begin with a slash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from oumi.cli.chat.clipboard import copy
from oumi.core.names import did_you_mean
from oumi.errors import OumiError

if TYPE_CHECKING:
    from oumi.cli.chat.conversation import Chat, Deltas


class Draft(NamedTuple):
    """A text for the user to change and send."""

    text: str


Outcome: TypeAlias = Union[str, Draft, "Deltas"]
"""A note for the user, a text to be changed, or an answer to be shown."""


class ChatCommand(NamedTuple):
    """A command, what it takes, and what it does."""

    argument: str
    help: str
    run: Callable[[Chat, str], Outcome]


def run_command(chat: Chat, line: str) -> Outcome:
    """Run a line such as `/save chat.jsonl`. What goes wrong is a note."""
    name, _, argument = line.partition(" ")
    argument = argument.strip()
    command = COMMANDS.get(name)
    if command is None:
        hint = did_you_mean(name, [*COMMANDS, *EXITS], show=str) or "/help shows the commands"
        return f"{name}: no such command; {hint}"
    if command.argument.isupper() and not argument:
        return f"{name} needs a {command.argument.lower()}"
    try:
        return command.run(chat, argument)
    except OumiError as error:
        return f"{name}: {error}"
    except OSError as error:
        return f"{argument}: {error.strerror or error}"


def _help(chat: Chat, argument: str) -> str:
    lines = [f"  {f'{name} {c.argument}':<16} {c.help}" for name, c in COMMANDS.items()]
    return "\n".join([*_KEYS, *lines, "  /exit            leave, as Ctrl-D does", _SLASHES])


_KEYS = (
    "Enter sends a message, Ctrl-C stops its answer.",
    "Alt-Enter begins a new line; what is pasted, or stands",
    'between two lines of """, may have many.',
)
_SLASHES = "  //text           say something that begins with a /"


def _use_model(chat: Chat, argument: str) -> str:
    if argument:
        chat.use_model(argument)
    return f"{chat.config.model.model_name} at {chat.config.engine} answers"


def _retry(chat: Chat, argument: str) -> Deltas:
    return chat.stream_again()


def _edit(chat: Chat, argument: str) -> Draft:
    question = chat.take_back()
    chat.keep_media_of(question)
    return Draft(question.compute_flattened_text_content("\n"))


def _copy(chat: Chat, argument: str) -> str:
    answer = chat.last_answer
    if answer is None:
        return "there is no answer to copy"
    return f"copied by {copy(answer.compute_flattened_text_content())}"


def _add_image(chat: Chat, argument: str) -> str:
    chat.add_media(argument)
    return f"{argument} stands before the next question"


def _load(chat: Chat, argument: str) -> str:
    chat.load(Path(argument).expanduser())
    return f"{len(chat.conversation.messages)} messages from {argument}"


def _save(chat: Chat, argument: str) -> str:
    conversation = chat.conversation
    with Path(argument).expanduser().open("a", encoding="utf-8") as file:
        file.write(conversation.to_json() + "\n")
    return f"{len(conversation.messages)} messages added to {argument}"


def _set_system_prompt(chat: Chat, argument: str) -> str:
    chat.system_prompt = argument or None
    return "system prompt set" if argument else "no system prompt"


def _reset(chat: Chat, argument: str) -> str:
    chat.reset()
    return "conversation forgotten"


def _usage(chat: Chat, argument: str) -> str:
    return str(chat.totals)


# An argument in capitals is needed; one in brackets may be left out.
COMMANDS = {
    "/model": ChatCommand("[name]", "let another model answer, or say which one does", _use_model),
    "/retry": ChatCommand("", "answer the last question again", _retry),
    "/edit": ChatCommand("", "change the last question, and ask it again", _edit),
    "/copy": ChatCommand("", "copy the last answer to the clipboard", _copy),
    "/image": ChatCommand("PATH", "an image or a PDF before the next question", _add_image),
    "/system": ChatCommand("[text]", "set the system prompt, or take it away", _set_system_prompt),
    "/save": ChatCommand("PATH", "add the conversation to a JSONL file", _save),
    "/load": ChatCommand("PATH", "go on with the last conversation of such a file", _load),
    "/reset": ChatCommand("", "forget the conversation, keep the system prompt", _reset),
    "/usage": ChatCommand("", "tokens and cost so far", _usage),
    "/help": ChatCommand("", "show this", _help),
}
EXITS = ("/exit", "/quit")
