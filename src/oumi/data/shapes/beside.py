"""Columns beside the prompt: a system message, images, tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.data.records.values import is_empty, to_plain
from oumi.data.shapes.known import json_value

_BY_NAME = {"image": "image", "images": "image", "system": "system", "tools": "tools"}


def find_beside(columns: Mapping[str, Any], image_column: str | None) -> dict[str, str]:
    """Of `columns`, those that stand beside the prompt, each with what it holds."""
    found = {name: kind for name, kind in _BY_NAME.items() if name in columns}
    if image_column is not None:
        found = {name: kind for name, kind in found.items() if kind != "image"}
        found[image_column] = "image"
    return found


def add_beside(fields: dict[str, Any], row: Mapping[str, Any], beside: Mapping[str, str]) -> None:
    """Put what stands beside the prompt into the fields of a conversation. Raises ValueError."""
    for name, kind in beside.items():
        if kind != "tools" and name in fields:  # a column that was kept as an unknown field
            del fields[name]
        if is_empty(value := row.get(name)):
            continue
        if kind == "tools":
            fields["tools"] = to_plain(json_value(value))
        elif kind == "system":
            add_system(fields, str(value))
        else:
            _add_images(fields, name, value)


def add_system(fields: dict[str, Any], text: str) -> None:
    """Put a system message in front, unless there is one."""
    first = fields["messages"][0] if fields["messages"] else {}
    if not (isinstance(first, dict) and first.get("role") in ("system", "developer")):
        fields["messages"] = [{"role": "system", "content": text}, *fields["messages"]]


def _add_images(fields: dict[str, Any], name: str, value: Any) -> None:
    images = json_value(value) if isinstance(value, str) else value
    items = [_image(name, one) for one in (images if isinstance(images, list) else [images])]
    for at in range(len(fields["messages"]) - 1, -1, -1):
        message = fields["messages"][at]
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content")
            texts = content if isinstance(content, list) else [{"type": "text", "text": content}]
            messages = list(fields["messages"])
            messages[at] = {**message, "content": [*items, *texts]}
            fields["messages"] = messages
            return
    raise ValueError(f"{name}: no message of the user that the image could belong to")


def _image(name: str, value: Any) -> dict[str, Any]:
    """An image by path, URL, bytes, or as `datasets` holds one: `{"bytes": …, "path": …}`."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path") or value.get("url")
    if isinstance(value, bytes | bytearray):
        return {"type": "image_binary", "binary": bytes(value)}
    if isinstance(value, str) and value:
        return {"type": "image", "image": value}
    raise ValueError(f"{name}: expected a path, a URL or bytes, not {type(value).__name__}")
