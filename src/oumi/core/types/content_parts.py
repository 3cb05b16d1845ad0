"""Parts of a message's content as other APIs and libraries write them, to fields of our items.

OpenAI, chat: https://platform.openai.com/docs/api-reference/chat/create
OpenAI, responses: https://platform.openai.com/docs/api-reference/responses/create
Anthropic: https://platform.claude.com/docs/en/api/messages/create
Transformers: https://huggingface.co/docs/transformers/chat_templating_multimodal
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def to_item_fields(part: dict[str, Any]) -> dict[str, Any]:
    """The fields of an item. Those of a part in no foreign form are its own.

    Fields that are null are left out: tables that hold parts of several kinds fill them up so.
    """
    fields = {name: value for name, value in part.items() if value is not None}
    kind = fields.get("type")
    for name in _NAMES.get(kind, ()) if isinstance(kind, str) else ():
        if name in fields:
            found = _FORMS[name](fields.pop(name), fields)
            return {**fields, **found}
    return fields


def _text(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "text", "content": value}


def _image_url(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {"type": "image_url", "content": value}
    detail = {"detail": value["detail"]} if value.get("detail") is not None else {}
    return {"type": "image_url", "content": value.get("url"), **detail}


def _image(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    """An image by its URL or path."""
    is_path = isinstance(value, str) and not _HAS_SCHEME.match(value)
    return {"type": "image_path" if is_path else "image_url", "content": value}


def _image_path(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "image_path", "content": value}


def _audio(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    """Audio of the OpenAI API, as base64 text or, as some servers take it, by its URL."""
    if not isinstance(value, dict):
        return _data("audio", value)
    form = {"format": value["format"]} if value.get("format") is not None else {}
    return {**_data("audio", value.get("data", value.get("url"))), **form}


def _file(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    return _pdf(value) if isinstance(value, dict) else _data("pdf", value)


def _file_data(value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    return _pdf({"file_data": value, "filename": fields.get("filename")})


def _file_id(value: Any, _: Mapping[str, Any]) -> dict[str, Any]:
    return _pdf({"file_id": value})


def _pdf(file: Mapping[str, Any]) -> dict[str, Any]:
    data = file.get("file_data") or file.get("file_url")
    if data is None:
        raise ValueError("a file is given by `file_data` (a data URL), not by `file_id`")
    name = {"filename": file["filename"]} if file.get("filename") is not None else {}
    return {**_data("pdf", data), **name}


def _source(value: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """An image or a document of Anthropic's API, by `source`."""
    kind = {"document": "pdf"}.get(fields["type"], fields["type"])
    source = value if isinstance(value, dict) else {"type": value}
    title = fields.pop("title", None)
    name = {"filename": title} if title is not None else {}
    match source:
        case {"type": "base64", "data": data}:
            return {"type": f"{kind}_binary", "binary": data, **name}
        case {"type": "url", "url": url}:
            return {"type": f"{kind}_url", "content": url, **name}
        case {"type": "text", "data": text}:
            return {"type": "text", "content": text, **name}
    raise ValueError(f"a source of type {source.get('type')!r}: give its data or its URL")


def _data(kind: str, value: Any) -> dict[str, Any]:
    """What stands where base64 text may stand, but also a URL."""
    if isinstance(value, str) and _HAS_SCHEME.match(value):
        return {"type": f"{kind}_url", "content": value}
    return {"type": f"{kind}_binary", "binary": value}


# In a part of each type, the fields that hold its content; the first that is there counts.
_NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "input_text": ("text",),
    "output_text": ("text",),
    "image_url": ("image_url",),
    "input_image": ("image_url",),
    "image": ("source", "image", "url", "path"),
    "input_audio": ("input_audio",),
    "audio_url": ("audio_url",),
    "file": ("file",),
    "input_file": ("file_data", "file_url", "file_id"),
    "document": ("source",),
}
_FORMS: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "text": _text,
    "image_url": _image_url,
    "image": _image,
    "url": _image,
    "path": _image_path,
    "source": _source,
    "input_audio": _audio,
    "audio_url": _audio,
    "file": _file,
    "file_data": _file_data,
    "file_url": _file_data,
    "file_id": _file_id,
}
