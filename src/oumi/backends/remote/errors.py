"""Replies that are no answers, turned into our errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oumi.backends.remote.http.rate_limit_headers import until_s
from oumi.backends.remote.pages import is_page, title_of
from oumi.core.json_text import read_json_leniently, write_json
from oumi.errors import (
    AccessError,
    ContextLengthError,
    ModelNotFoundError,
    OumiError,
    RequestError,
    UnavailableError,
)

# 424: a model behind Bedrock failed; 498: no capacity in a tier of Groq
_RETRIED = {408, 409, 424, 425, 429, 498}
_KEY_CODES = {"API_KEY_INVALID", "API_KEY_EXPIRED"}
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_NO_CREDIT = "credit balance is too low"  # Anthropic, with status 400
_MODEL_CODES = {"model_not_found", "model_not_supported", "model_not_available", "invalid_model"}
_MODEL_WORDS = re.compile("model not exist|not a valid model|model identifier is invalid", re.I)
# OpenAI twice, with status 404 or 400, and Azure.
_RESPONSES_WORDS = re.compile(
    r"only supported in v1/responses|not a chat model|chatCompletion operation does not work", re.I
)
_KEY_WORDS = re.compile("incorrect api key|api key not valid", re.I)
_STATUSES = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
}
"""The status that an error inside a stream would have had, by its type or code."""
# https://platform.openai.com/docs/api-reference/responses/object#responses/object-error
_ROW_CODES = re.compile(
    r"invalid_(?:prompt|image\w*|base64_image)|image_(?!file_not)\w+|unsupported_image\w+|empty_image\w+"
    r"|\w+_policy(?:_violation)?|data_residency_mismatch"
)
"""Codes of an error in a reply which the same request would get again."""
_CONTENT_WORDS = re.compile(
    r"content[ _-]?(?:\w+[ _-])?(?:violat|polic|filter|moderat|safety)|safety|moderation|flagged|"
    r"(?:usage|content|community) guideline|harmful|inappropriate|jailbreak|guardrail|"
    r"prohibited[ _](?:content|use)|sensitive[ _](?:content|words)",
    re.I,
)
_ROUTING_WORDS = re.compile(
    r"\bno (?:(?:allowed|available|healthy) )?(?:endpoints?|providers?|deployments?)\b", re.I
)
_LENGTH_WORDS = re.compile(
    r"context[ _-](?:length|window)|too many (?:input |prompt )?tokens"
    r"|(?:prompt|input|messages?|request|text) (?:\w+ ){0,3}too (?:long|large)",
    re.I,
)
_MEDIA_WORDS = re.compile(r"\b(?:images?|audio|pdf|file|document)s?\b", re.I)
_TOO_LARGE = 413
_KEPT = 500


class BadReplyError(UnavailableError):
    """A reply with status 200 that holds no answer. It is kept all the same."""

    def __init__(self, message: str, reply: bytes = b"", *, status: int | None = None):
        super().__init__(message, status=status)
        self.reply = reply.decode(errors="replace") or None


class PageError(BadReplyError):
    """A page of HTML in place of an answer: no row may ever get anything else."""

    ends_run = True

    def __init__(self, page: str | bytes):
        page = page if isinstance(page, str) else page.decode(errors="replace")
        super().__init__(
            f"a page of HTML in place of an answer: {title_of(page)!r}. It may ask to log in, or "
            "be of a proxy or a firewall: check remote_params.api_url, and what is in between",
            status=200,
        )
        self.reply = page or None


class UnreadableAnswerError(OumiError):
    """An answer that cannot be decoded. It is paid for, so it is kept and not asked for again."""

    def __init__(self, message: str, reply: bytes):
        super().__init__(message)
        self.reply = reply.decode(errors="replace")


def to_error(status: int, body: bytes, wait_s: float | None, name: str, key_hint: str) -> OumiError:
    """The error for a reply with another status than 200.

    `wait_s` is the wait that its headers ask for, `name` the engine, `key_hint` where its key is
    set.
    """
    error = _find_error(body)
    codes, message = _codes(error), f"{name} answered {status}: {_text(error).rstrip('.')}"
    if status == 403 and (_is_flagged(error) or _CONTENT_WORDS.search(f"{message} {codes}")):
        return RequestError(message, status=status)
    if status == 403 and is_page(body.decode(errors="replace")):
        hint = "A page in place of an answer: a firewall may have refused the request."
        return AccessError(f"{message}. {hint}", status=status, is_of_row=True)
    if status in (401, 403) or (
        status == 400 and (codes & _KEY_CODES or _KEY_WORDS.search(message))
    ):
        return AccessError(f"{message}. Check the key: {key_hint}.", status=status)
    if status == 402 or (status == 429 and codes & _QUOTA_CODES) or _NO_CREDIT in message:
        return AccessError(f"{message}. The quota is spent: add credit.", status=status)
    if status in (400, 404) and _RESPONSES_WORDS.search(message):
        hint = "If the Responses API serves it, set remote_params.api to responses."
        return ModelNotFoundError(f"{message}. {hint}", status=status)
    if status == 404 or (status == 400 and (codes & _MODEL_CODES or _MODEL_WORDS.search(message))):
        hint = "Check model.model_name and remote_params.api_url."
        is_of_row = _ROUTING_WORDS.search(message) is not None
        return ModelNotFoundError(f"{message}. {hint}", status=status, is_of_row=is_of_row)
    if status in _RETRIED or status >= 500:
        wait_s = _retry_info_s(error) if wait_s is None else wait_s
        return UnavailableError(message, status=status, wait_s=wait_s)
    is_of_row = status == _TOO_LARGE or _is_about_a_row(f"{message} {codes}")
    is_too_long = _LENGTH_WORDS.search(f"{message} {codes}") is not None
    error_type = ContextLengthError if is_too_long else RequestError
    return error_type(message, status=status, is_of_row=is_of_row)


def _is_about_a_row(text: str) -> bool:
    """Whether the words of a refusal are about what one row holds."""
    return any(words.search(text) for words in (_CONTENT_WORDS, _LENGTH_WORDS, _MEDIA_WORDS))


def error_in_reply(body: bytes) -> OumiError:
    """The error for an error object in a reply with status 200.

    https://openrouter.ai/docs/api-reference/errors: a status of its own stands in its `code`.
    """
    error = _find_error(body)
    status = _status_of(error)
    if status is not None:
        found = to_error(status, body, None, "the API", "remote_params.api_key")
        if isinstance(found, UnavailableError):
            found.reply = body.decode(errors="replace")
        return found
    if any(map(_ROW_CODES.fullmatch, _codes(error))):
        return RequestError(f"an error in place of an answer: {_text(error)}")
    known = (_STATUSES.get(code) for code in _codes(error))
    status = next(filter(None, known), None)
    return BadReplyError(f"an error in place of an answer: {_text(error)}", body, status=status)


def read_error(body: bytes) -> tuple[str, str]:
    """The code and the message in the body of an error reply, whatever its format."""
    error = _find_error(body)
    return str(error.get("code") or error.get("type") or ""), _text(error)


def _find_error(body: bytes) -> Mapping[str, Any]:
    """The error object in a body, whatever the format of the API."""
    try:
        data = read_json_leniently(body)
    except ValueError:
        text = body.decode(errors="replace").strip()
        words = title_of(text) if is_page(text) else text[:_KEPT]
        return {"message": words or "no reason given"}
    if isinstance(data, list) and data:  # Gemini
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    return error if isinstance(error, Mapping) else {"message": str(error)}


def _text(error: Mapping[str, Any]) -> str:
    found = error.get("message") or error.get("detail") or dict(error)
    return (found if isinstance(found, str) else to_text(found).decode())[:_KEPT]


def to_text(value: Any) -> bytes:
    """A JSON value as text to be kept or shown."""
    try:
        return write_json(value)
    except ValueError:
        return b"(nested too deeply to be shown)"


def _status_of(error: Mapping[str, Any]) -> int | None:
    code = error.get("code")
    if isinstance(code, str) and code.isdecimal():
        code = int(code[:4])
    return code if isinstance(code, int) and 400 <= code < 600 else None


def _codes(error: Mapping[str, Any]) -> set[str]:
    reasons = [detail.get("reason") for detail in _details(error)]
    return {str(code) for code in (error.get("code"), error.get("type"), *reasons) if code}


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Google's: https://cloud.google.com/apis/design/errors#error_details"""
    details = error.get("details")
    return [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []


def _retry_info_s(error: Mapping[str, Any]) -> float | None:
    delays = [detail["retryDelay"] for detail in _details(error) if "retryDelay" in detail]
    return until_s(str(delays[0]), 0) if delays else None


def _is_flagged(error: Mapping[str, Any]) -> bool:
    """Whether moderation refused the request, as at OpenRouter, and not the key."""
    metadata = error.get("metadata")
    return isinstance(metadata, Mapping) and "flagged_input" in metadata
