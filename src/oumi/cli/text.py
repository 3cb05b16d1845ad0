"""Text of models as it is safe and pleasant to print."""

from __future__ import annotations

from collections.abc import Iterator

from oumi.core.types.conversation import ContentItem, Message

# What a model writes must not steer the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)]}
_VISIBLE = str.maketrans(
    {code: text for code, text in _CONTROLS.items() if chr(code) not in "\n\t"}
)


def visible(text: str) -> str:
    """The text with control characters written out."""
    return text.translate(_VISIBLE)


def shown_content(message: Message) -> str:
    """The content of a message as text; images by their place."""
    return "\n".join(visible(_shown_item(item)) for item in message.content_items)


def shown_calls(message: Message) -> Iterator[str]:
    """The tool calls of a message, one a line."""
    for call in message.tool_calls or ():
        yield visible(f"→ {call.function.name}({call.function.arguments})")


def _shown_item(item: ContentItem) -> str:
    if item.is_text():
        return item.content or ""
    size = f"{len(item.binary or b'')} bytes"
    return f"[image: {item.content[:80] if item.content else size}]"
