"""What the replies of all APIs have in common: JSON objects, errors, and lists of models."""

from __future__ import annotations

from typing import Any

import orjson

from oumi.inference.remote.failures import BadReplyError, read_error

_SHOWN = 200


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadReplyError for anything else, and for an error."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadReplyError(f"a reply that is not JSON: {shorten(body)}") from error
    if not isinstance(data, dict):
        raise BadReplyError(f"a reply that is no object: {shorten(body)}")
    if data.get("error"):
        raise BadReplyError(f"an error in place of an answer: {read_error(body)[1]}")
    return data


def decode_models(body: bytes) -> list[str]:
    """The names in a list of models. Raises BadReplyError for a body that is none."""
    try:
        return [str(model["id"]) for model in decode_object(body)["data"]]
    except (LookupError, TypeError) as error:
        raise BadReplyError(f"not a list of models: {shorten(body)}") from error


def shorten(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return repr(body[:_SHOWN].decode(errors="replace"))
