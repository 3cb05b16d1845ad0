"""Messages as text that is safe and pleasant to print."""

from __future__ import annotations

from collections.abc import Iterator

from oumi.core.printable import printable, printable_line
from oumi.core.types.conversation import ContentItem, Message


def content_text(message: Message) -> str:
    """The content of a message; an image, audio or a PDF is shown by its path, URL or size."""
    return "\n".join(printable(_item_text(item)) for item in message.content_items)


def call_lines(message: Message) -> Iterator[str]:
    """The tool calls of a message, one a line."""
    for call in message.tool_calls or ():
        yield printable_line(f"→ {call.function.name}({call.function.arguments})")


def _item_text(item: ContentItem) -> str:
    if item.is_text():
        return item.content or ""
    size = f"{len(item.binary or b'')} bytes"
    return f"[{item.type.kind}: {item.content[:80] if item.content else size}]"
