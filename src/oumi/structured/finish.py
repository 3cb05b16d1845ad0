"""Answers as they are handed out, where nothing more can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.completion import Completion, Structured
from oumi.core.types.conversation import FinishReason
from oumi.errors import MisfitError
from oumi.structured.expectation import Expectation
from oumi.structured.settle import AskAgain, Misfit, settle, text_of, total_usage

_NATIVE = Structured.NATIVE.value
_WITHHELD = FinishReason.CONTENT_FILTER


def require_fit(expectation: Expectation | None, completion: Completion) -> Completion:
    """The answer as it is handed out. Raises MisfitError for one that does not fit."""
    if expectation is None:
        return completion
    outcome = settle(expectation, completion)
    if isinstance(outcome, Completion):
        return outcome
    raise misfit_error(outcome, completion)


def fits_as_it_came(expectation: Expectation, completion: Completion) -> bool:
    """Whether an answer fits and nothing is to be done to it, as with most; soon told."""
    message = completion.message
    text = message.content
    if not isinstance(text, str) or message.tool_calls or completion.earlier:
        return False
    return completion.finish_reason != _WITHHELD and expectation.fits(text)


def fits(expectation: Expectation, record: Mapping[str, Any]) -> bool:
    """Whether a recorded answer is one that is handed out."""
    if _record_fits_as_it_came(expectation, record):
        return True
    return isinstance(settle(expectation, Completion.from_dict(record)), Completion)


def misfit_error(outcome: AskAgain | Misfit, completion: Completion) -> MisfitError:
    """The error that says why no answer of a row fits."""
    reason = outcome.reason if isinstance(outcome, Misfit) else outcome.misfit
    return MisfitError(reason, text_of(completion), total_usage(completion))


def finish_record(expectation: Expectation | None, record: dict[str, Any]) -> dict[str, Any]:
    """What `require_fit` does, for a recorded answer in the form of `Completion.to_dict`.

    One that fits as it came is not taken apart: it only gains how it came to its form.
    """
    if expectation is None:
        return record
    if _record_fits_as_it_came(expectation, record):
        record["structured"] = _NATIVE
        return record
    return require_fit(expectation, Completion.from_dict(record)).to_dict()


def _record_fits_as_it_came(expectation: Expectation, record: Mapping[str, Any]) -> bool:
    message = record["message"]
    text = message.get("content")
    if not isinstance(text, str) or "tool_calls" in message or "earlier" in record:
        return False
    return record["finish_reason"] != _WITHHELD and expectation.fits(text)
