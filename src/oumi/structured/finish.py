"""Answers as they are handed out, where nothing more can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.completion import Completion, Structured
from oumi.core.types.conversation import FinishReason
from oumi.errors import StructuredOutputError
from oumi.structured.contract import Contract
from oumi.structured.outcome import AskAgain, Invalid, outcome_of, text_of, total_usage

_NATIVE = Structured.NATIVE.value
_WITHHELD = FinishReason.CONTENT_FILTER


def require_valid(contract: Contract | None, completion: Completion) -> Completion:
    """The answer as it is handed out. Raises StructuredOutputError for one that does not fit."""
    if contract is None:
        return completion
    outcome = outcome_of(contract, completion)
    if isinstance(outcome, Completion):
        return outcome
    raise invalid_error(outcome, completion)


def is_valid_as_is(contract: Contract, completion: Completion) -> bool:
    """Whether an answer fits and nothing is to be done to it, as with most; soon told."""
    message = completion.message
    text = message.content
    if not isinstance(text, str) or message.tool_calls or completion.earlier:
        return False
    return completion.finish_reason != _WITHHELD and contract.fits(text)


def fits(contract: Contract, record: Mapping[str, Any]) -> bool:
    """Whether a recorded answer is one that is handed out."""
    if _record_is_valid_as_is(contract, record):
        return True
    return isinstance(outcome_of(contract, Completion.from_dict(record)), Completion)


def invalid_error(outcome: AskAgain | Invalid, completion: Completion) -> StructuredOutputError:
    """The error that says why no answer of a row fits."""
    reason = outcome.reason if isinstance(outcome, Invalid) else outcome.problem
    return StructuredOutputError(reason, text_of(completion), total_usage(completion))


def finish_record(contract: Contract | None, record: dict[str, Any]) -> dict[str, Any]:
    """What `require_valid` does, for a recorded answer in the form of `Completion.to_dict`.

    One that fits as it came is not taken apart: it only gains how it came to its form.
    """
    if contract is None:
        return record
    if _record_is_valid_as_is(contract, record):
        record["structured"] = _NATIVE
        return record
    return require_valid(contract, Completion.from_dict(record)).to_dict()


def _record_is_valid_as_is(contract: Contract, record: Mapping[str, Any]) -> bool:
    message = record["message"]
    text = message.get("content")
    if not isinstance(text, str) or "tool_calls" in message or "earlier" in record:
        return False
    return record["finish_reason"] != _WITHHELD and contract.fits(text)
