"""Answers as they are handed out, where nothing more can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.completion import Completion, Structured
from oumi.core.types.conversation import FinishReason
from oumi.errors import MisfitError
from oumi.structured.expectation import Expectation
from oumi.structured.settle import AskAgain, Fits, Misfit, settle, text_of, total_usage


def require_fit(expectation: Expectation | None, completion: Completion) -> Completion:
    """The answer as it is handed out. Raises MisfitError for one that does not fit."""
    if expectation is None:
        return completion
    outcome = settle(expectation, completion)
    if isinstance(outcome, Fits):
        return outcome.completion
    raise misfit_error(outcome, completion)


def fits(expectation: Expectation, record: Mapping[str, Any]) -> bool:
    """Whether a recorded answer is one that is handed out."""
    if _fits_as_it_came(expectation, record):
        return True
    return isinstance(settle(expectation, Completion.from_dict(record)), Fits)


def misfit_error(outcome: AskAgain | Misfit, completion: Completion) -> MisfitError:
    """The error that says why no answer of a row fits."""
    reason = outcome.reason if isinstance(outcome, Misfit) else outcome.misfit
    return MisfitError(reason, text_of(completion), total_usage(completion))


def finish_record(expectation: Expectation | None, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for a recorded answer in the form of `Completion.to_dict`.

    One that fits as it came, which most do, is not taken apart.
    """
    if expectation is None:
        return record
    if _fits_as_it_came(expectation, record):
        return {**record, "structured": Structured.NATIVE.value}
    return require_fit(expectation, Completion.from_dict(record)).to_dict()


def _fits_as_it_came(expectation: Expectation, record: Mapping[str, Any]) -> bool:
    """Whether nothing is to be done to a recorded answer, as with most; found out without taking
    it apart.
    """
    message = record["message"]
    text = message.get("content")
    if not isinstance(text, str) or "tool_calls" in message or "earlier" in record:
        return False
    if record["finish_reason"] == FinishReason.CONTENT_FILTER:
        return False
    return expectation.check(text).is_whole(text)
