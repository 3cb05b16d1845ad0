"""What the replies of all APIs have in common: JSON objects, errors, and lists of models."""

from __future__ import annotations

from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError, error_in_reply

_SHOWN = 200


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadReplyError for anything else, and for an error what it
    means.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadReplyError(f"a reply that is not JSON: {shorten(body)}") from error
    if not isinstance(data, dict):
        raise BadReplyError(f"a reply that is no object: {shorten(body)}")
    if data.get("error"):
        raise error_in_reply(body)
    return data


def decode_models(body: bytes) -> list[str]:
    """The names in a list of models. Raises BadReplyError for a body that is none."""
    try:
        data = orjson.loads(body)
        models = data if isinstance(data, list) else data["data"]  # bare at Together
        return [str(model["id"]) for model in models]
    except (LookupError, TypeError, ValueError) as error:
        raise BadReplyError(f"not a list of models: {shorten(body)}") from error


def shorten(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return repr(body[:_SHOWN].decode(errors="replace"))
