"""Replies that are no answers, as errors of our tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from oumi.errors import (
    AccessError,
    ModelNotFoundError,
    OumiError,
    RequestError,
    UnavailableError,
)

_WAIT_AND_TRY = {408, 409, 425, 429}
_QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_KEPT = 500


class BadReplyError(UnavailableError):
    """A reply with status 200 that holds no answer."""


class UnreadableAnswerError(OumiError):
    """An answer that we do not understand. It is paid for: it is kept, and not asked for again."""

    def __init__(self, message: str, reply: bytes):
        super().__init__(message)
        self.reply = reply.decode(errors="replace")


def to_error(status: int, body: bytes, wait_s: float | None, name: str, key_hint: str) -> OumiError:
    """What a reply other than 200 means. `name` is the engine, `key_hint` where its key is set."""
    code, text = read_error(body)
    said = f"{name} answered {status}: {text.rstrip('.')}"
    if status in (401, 403):
        return AccessError(f"{said}. Check the key: {key_hint}.", status=status)
    if status == 402 or (status == 429 and code in _QUOTA_CODES):
        return AccessError(f"{said}. The quota is spent: add credit.", status=status)
    if status == 404:
        hint = "Check model.model_name and remote_params.api_url."
        return ModelNotFoundError(f"{said}. {hint}", status=status)
    if status in _WAIT_AND_TRY or status >= 500:
        return UnavailableError(said, status=status, wait_s=wait_s)
    return RequestError(said, status=status)


def read_error(body: bytes) -> tuple[str, str]:
    """The code and the message in the body of an error, in whichever form it is."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", body[:_KEPT].decode(errors="replace").strip() or "no reason given"
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, Mapping):
        return "", str(error)[:_KEPT]
    code = str(error.get("code") or error.get("type") or "")
    return code, _message(error)[:_KEPT]


def _message(error: Mapping[str, Any]) -> str:
    found = error.get("message") or error.get("detail") or error
    return found if isinstance(found, str) else orjson.dumps(found).decode()
