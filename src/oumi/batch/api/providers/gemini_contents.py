"""Messages of the chat API as contents of Google's own APIs.

https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from oumi.core.json_text import parse_json
from oumi.errors import RequestError

_SYSTEM = ("system", "developer")
_DATA_URL = re.compile(r"data:([\w.+/-]+);base64,")
_MIME_OF_AUDIO = {"mp3": "audio/mp3", "wav": "audio/wav"}

Part = dict[str, Any]


def make_contents(
    messages: Sequence[Mapping[str, Any]],
) -> tuple[list[Part], list[dict[str, Any]]]:
    """The parts of the system instruction, and the contents. Raises RequestError."""
    system: list[Part] = []
    contents: list[dict[str, Any]] = []
    names: dict[str, str] = {}  # of functions, by the ids of their calls
    for message in messages:
        if message["role"] in _SYSTEM:
            if contents:
                raise RequestError(
                    "a batch of Google's takes system messages before all others only: ask this "
                    "row by infer"
                )
            system += _parts(message.get("content"))
            continue
        names |= {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or ()}
        _add(contents, *_content(message, names))
    return system, contents


def _content(message: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, list[Part]]:
    """The role and the parts of a message."""
    if message["role"] == "tool":
        return "user", [_response(message, names)]
    if message["role"] == "assistant":
        calls = map(_call, message.get("tool_calls") or ())
        return "model", [*_parts(message.get("content")), *calls]
    return "user", _parts(message.get("content"))


def _add(contents: list[dict[str, Any]], role: str, parts: list[Part]) -> None:
    """Add a content. Results of calls that were made at once stand in one."""
    last = contents[-1] if contents else {}
    if last.get("role") == role and "functionResponse" in parts[0]:
        last["parts"] += parts
    else:
        contents.append({"role": role, "parts": parts})


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [{"text": content}]
    return list(map(_part, content or ()))


def _part(part: Mapping[str, Any]) -> Part:
    match part["type"]:
        case "text":
            return {"text": part["text"]}
        case "image_url":
            return _file(part["image_url"]["url"])
        case "input_audio":
            audio = part["input_audio"]
            kind = _MIME_OF_AUDIO.get(audio["format"], f"audio/{audio['format']}")
            return _inline(kind, audio["data"])
    raise RequestError(f"a batch of Google's takes no part of the type {part['type']!r}")


def _file(url: str) -> Part:
    if (match := _DATA_URL.match(url)) is not None:
        return _inline(match[1], url[match.end() :])
    kind, _ = mimetypes.guess_type(urlsplit(url).path)
    if kind is None:
        raise RequestError(
            f"an address whose ending does not tell what it is: {url:.100}. Give the file itself"
        )
    return {"fileData": {"mimeType": kind, "fileUri": url}}


def _inline(kind: str, data: str) -> Part:
    return {"inlineData": {"mimeType": kind, "data": data}}


def _call(call: Mapping[str, Any]) -> Part:
    """A call, with the signature of the thoughts before it where it came with one.

    https://ai.google.dev/gemini-api/docs/thought-signatures
    """
    function = call["function"]
    part: Part = {
        "functionCall": {"name": function["name"], "args": _object(function["arguments"])}
    }
    signature = ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature")
    return part | ({"thoughtSignature": signature} if signature else {})


def _response(message: Mapping[str, Any], names: Mapping[str, str]) -> Part:
    content = message.get("content")
    text = content if isinstance(content, str) else "".join(p["text"] for p in _parts(content))
    name = message.get("name") or names.get(message["tool_call_id"])
    return {"functionResponse": {"name": name, "response": _object(text, "output")}}


def _object(text: str, name: str = "value") -> dict[str, Any]:
    """The object in a text; any other text under a name."""
    try:
        value = parse_json(text or "{}")
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {name: value}
