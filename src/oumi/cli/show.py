"""`oumi show`: conversations of a file in a readable form."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from oumi.cli.text import call_lines, content_text
from oumi.core.configs.inference_config import STANDARD_STREAM
from oumi.core.printable import printable, printable_line
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.data.jsonl import JsonlSource, parse_rows
from oumi.data.source import Row

_STYLES = {
    Role.SYSTEM: "yellow",
    Role.DEVELOPER: "yellow",
    Role.USER: "cyan",
    Role.ASSISTANT: "green",
    Role.TOOL: "magenta",
}


@click.command("show")
@click.argument("file")
@click.option("--rows", type=click.IntRange(min=1), metavar="N", help="Show the first N only.")
def command(file: str, rows: int | None) -> int:
    """Print the conversations of FILE (JSONL; - is standard input) in a readable form."""
    console = Console(highlight=False)
    for row in islice(_rows(file), rows):
        conversation = _conversation_of(row)
        if console.is_terminal:
            console.print(_panel(row.index + 1, conversation))
        else:
            click.echo(_plain(row.index + 1, conversation))
    return 0


def _rows(file: str) -> Iterator[Row]:
    if file == STANDARD_STREAM:
        return parse_rows(sys.stdin.buffer, "standard input")
    return JsonlSource(Path(file)).rows()


def _conversation_of(row: Row) -> Conversation:
    if row.conversation is None:
        raise row.error or ValueError("a row without a conversation")
    return row.conversation


def _panel(number: int, conversation: Conversation) -> Panel:
    turns = Table.grid(padding=(0, 2))
    for message in conversation.messages:
        turns.add_row(Text(message.role, f"bold {_STYLES[message.role]}"), _text(message))
    return Panel(
        turns,
        title=Text(_title(number, conversation)),
        title_align="left",
        subtitle=Text(_subtitle(conversation)),
        subtitle_align="right",
        border_style="dim",
    )


def _text(message: Message) -> Text:
    text = Text()
    if message.reasoning_content:
        text.append(printable(message.reasoning_content) + "\n", "dim")
    return text.append("\n".join(_lines(message)))


def _plain(number: int, conversation: Conversation) -> str:
    turns = [f"{message.role}: " + "\n".join(_lines(message)) for message in conversation]
    return "\n".join([f"--- {_title(number, conversation)}", *turns]) + "\n"


def _lines(message: Message) -> list[str]:
    """Content and tool calls of a message."""
    content = content_text(message)
    return [*([content] if content else []), *call_lines(message)]


def _title(number: int, conversation: Conversation) -> str:
    name = conversation.conversation_id
    return f"{number} · {printable_line(name)}" if name else str(number)


def _subtitle(conversation: Conversation) -> str:
    """Length and finish reason of the answer, which a run adds to the metadata."""
    reason = conversation.metadata.get("finish_reason")
    usage = conversation.metadata.get("usage")
    if not isinstance(usage, dict):
        return ""
    return printable_line(f"{usage.get('completion_tokens', 0)} tokens, {reason}")
