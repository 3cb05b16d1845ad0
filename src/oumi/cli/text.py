"""Messages as text that is safe and pleasant to print."""

from __future__ import annotations

from collections.abc import Iterator

from oumi.core.types.conversation import ContentItem, Message

# Control characters of C0, DEL and C1, written as `\x1b`: a model's text must not steer the
# terminal. Newlines and tabs stay.
_CONTROLS = [code for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"]
_ESCAPES = str.maketrans({code: f"\\x{code:02x}" for code in _CONTROLS})


def printable(text: str) -> str:
    """The text with control characters written out."""
    return text.translate(_ESCAPES)


def content_text(message: Message) -> str:
    """The content of a message; an image is shown by its path, URL or size."""
    return "\n".join(printable(_item_text(item)) for item in message.content_items)


def call_lines(message: Message) -> Iterator[str]:
    """The tool calls of a message, one a line."""
    for call in message.tool_calls or ():
        yield printable(f"→ {call.function.name}({call.function.arguments})")


def _item_text(item: ContentItem) -> str:
    if item.is_text():
        return item.content or ""
    size = f"{len(item.binary or b'')} bytes"
    return f"[image: {item.content[:80] if item.content else size}]"
