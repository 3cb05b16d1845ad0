"""How values show themselves in a notebook: HTML without scripts, that loads nothing.

What a model says is escaped, and an image is shown only where its bytes are at hand.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from oumi.core.printable import printable
from oumi.core.types.content_item import ContentItem
from oumi.core.types.message import Message

_MOST_CHARACTERS = 4000
"""Of a text; a notebook that holds more becomes slow, and nobody reads it there."""
_MOST_IMAGE_BYTES = 1_000_000
"""A notebook stores what it shows, a third larger as base64."""

_MESSAGE = (
    "border-left:3px solid color-mix(in srgb, currentColor 35%, transparent);"
    "padding:2px 10px;margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere"
)
_ROLE = "font-size:85%;opacity:.65"
_CELL = "text-align:left;vertical-align:top;white-space:pre-wrap;max-width:60ch"
_IMAGE_TYPES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}


def messages_html(messages: Sequence[Message], metadata: Mapping[str, Any]) -> str:
    """A conversation: its messages, one below the other."""
    return "".join(map(_message, messages)) + _facts(metadata)


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts."""

    def line(tag: str, cells: Sequence[str]) -> str:
        inner = "".join(f'<{tag} style="{_CELL}">{_text(cell)}</{tag}>' for cell in cells)
        return f"<tr>{inner}</tr>"

    return f"<table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"


def question_and_answer(messages: Sequence[Message]) -> tuple[str, str]:
    """The text of the last question of the user, and of the last message with its tool calls."""
    asked = [message for message in messages if message.role == "user"]
    question = asked[-1].compute_flattened_text_content() if asked else ""
    answer = messages[-1].compute_flattened_text_content()
    return question, "\n".join([answer, *_calls(messages[-1])]).strip()


def _message(message: Message) -> str:
    parts = []
    if message.reasoning_content:
        thought = _text(message.reasoning_content)
        parts.append(f"<details><summary>thoughts</summary>{thought}</details>")
    parts += map(_item, message.content_items)
    parts += (f"<code>{_text(call)}</code>" for call in _calls(message))
    body = "\n".join(parts)
    role = escape(message.role)
    return f'<div style="{_MESSAGE}"><div style="{_ROLE}">{role}</div>{body}</div>'


def _item(item: ContentItem) -> str:
    if item.is_text():
        return _text(item.content or "")
    if item.is_image() and item.binary and len(item.binary) <= _MOST_IMAGE_BYTES:
        kinds = (kind for start, kind in _IMAGE_TYPES.items() if item.binary.startswith(start))
        if kind := next(kinds, None):
            data = base64.b64encode(item.binary).decode()
            return f'<img style="max-width:320px" src="data:image/{kind};base64,{data}">'
    return _text(repr(item))


def _text(text: str) -> str:
    rest = len(text) - _MOST_CHARACTERS
    more = f"… ({rest:,} characters more)" if rest > 0 else ""
    shown = text[:_MOST_CHARACTERS].encode(errors="replace").decode()
    return escape(printable(shown) + more)


def _facts(metadata: Mapping[str, object]) -> str:
    usage, reason = metadata.get("usage"), metadata.get("finish_reason")
    tokens = usage.get("completion_tokens") if isinstance(usage, Mapping) else None
    facts = [f"{tokens} tokens" if tokens is not None else "", f"{reason}" if reason else ""]
    line = " · ".join(filter(None, facts))
    return f'<div style="{_ROLE}">{escape(line)}</div>' if line else ""


def _calls(message: Message) -> list[str]:
    calls = message.tool_calls or ()
    return [f"{call.function.name}({call.function.arguments})" for call in calls]
