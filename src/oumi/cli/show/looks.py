"""What a shown row looks like: a panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from oumi.cli.show.reading import ShownRow
from oumi.cli.text import call_lines, content_text
from oumi.core.printable import printable, printable_line
from oumi.core.types.conversation import Message, Role

_STYLES = {
    Role.SYSTEM: "yellow",
    Role.DEVELOPER: "yellow",
    Role.USER: "cyan",
    Role.ASSISTANT: "green",
    Role.TOOL: "magenta",
}


def panel(row: ShownRow) -> Panel:
    """The row in a frame."""
    parts = Table.grid(padding=(0, 2))
    for message in row.conversation.messages if row.conversation else ():
        parts.add_row(Text(message.role, f"bold {_STYLES[message.role]}"), _text(message))
    for name, value in _columns(row):
        parts.add_row(Text(name, "bold cyan"), Text(value))
    if row.failure is not None:
        parts.add_row(Text("failed", "bold red"), Text(_reason(row)))
    return Panel(
        parts,
        title=Text(_title(row)),
        title_align="left",
        subtitle=Text(_subtitle(row)),
        subtitle_align="right",
        border_style="red" if row.has_failed else "dim",
    )


def plain(row: ShownRow) -> str:
    """The row in lines of text, with an empty one at its end."""
    messages = row.conversation.messages if row.conversation else ()
    parts = [f"{message.role}: " + "\n".join(_lines(message)) for message in messages]
    parts += [f"{name}: {value}" for name, value in _columns(row)]
    if row.failure is not None:
        parts.append(f"failed: {_reason(row)}")
    return "\n".join([f"--- {_title(row)}", *parts]) + "\n"


def _text(message: Message) -> Text:
    text = Text()
    if message.reasoning_content:
        text.append(printable(message.reasoning_content) + "\n", "dim")
    return text.append("\n".join(_lines(message)))


def _lines(message: Message) -> list[str]:
    """Content and tool calls of a message."""
    content = content_text(message)
    return [*([content] if content else []), *call_lines(message)]


def _columns(row: ShownRow) -> Iterator[tuple[str, str]]:
    for name, value in (row.columns or {}).items():
        if value is not None and value != "":
            yield printable_line(name), printable(str(value))


def _reason(row: ShownRow) -> str:
    failure = row.failure
    return printable(f"{failure.error_class}: {failure.error_message}") if failure else ""


def _title(row: ShownRow) -> str:
    name = row.conversation.conversation_id if row.conversation else None
    return f"{row.number} · {printable_line(name)}" if name else str(row.number)


def _subtitle(row: ShownRow) -> str:
    """Length and finish reason of the answer, which a run adds to the metadata."""
    metadata = row.conversation.metadata if row.conversation else {}
    usage = metadata.get("usage")
    if not isinstance(usage, dict):
        return ""
    reason = metadata.get("finish_reason")
    return printable_line(f"{usage.get('completion_tokens', 0)} tokens, {reason}")
