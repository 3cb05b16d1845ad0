"""What the replies of all APIs have in common: JSON objects and errors."""

from __future__ import annotations

from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError, PageError, error_in_reply
from oumi.backends.remote.pages import is_page
from oumi.core.json_text import read_json_leniently

_SHOWN = 200
_SEARCHED = 1_000  # a page begins as one


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadReplyError for anything else, and for an error what it
    means.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        data = _read_leniently(body)
    found = data if isinstance(data, dict) else _only_object(data, body)
    if found.get("error"):
        raise error_in_reply(body)
    return found


def _only_object(data: Any, body: bytes) -> dict[str, Any]:
    """The object in a list of one, as Gemini's errors come."""
    only: object = data[0] if isinstance(data, list) and len(data) == 1 else None
    if isinstance(only, dict):
        return only
    raise BadReplyError(f"a reply that is no object: {shorten(body)}", body)


def no_answer(body: bytes) -> BadReplyError:
    """The error for an object without an answer in it."""
    return BadReplyError(f"a reply without an answer: {shorten(body)}", body)


def shorten(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return repr(body[:_SHOWN].decode(errors="replace"))


def _read_leniently(body: bytes) -> Any:
    try:
        return read_json_leniently(body)
    except ValueError as error:
        if is_page(body[:_SEARCHED].decode(errors="replace")):
            raise PageError(body) from error
        raise BadReplyError(f"a reply that is not JSON: {shorten(body)}", body) from error
