"""Final answers: each answer that leaves a run goes through here, and no invalid one passes.

An answer comes as a Completion or as its journal record (the dict of `Completion.to_dict`). Most
answers are valid exactly as they are. They are recognised without the work of `outcome_of`, and a
record without that of making a Completion: 1 to 2 microseconds for a small JSON object.
"""

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


class ValidRecord(dict[str, Any]):
    """A record that this very process has found valid exactly as it is, by the contract of its row.

    A class and no field, because a file might have the field.
    """


def require_valid(contract: Contract | None, completion: Completion) -> Completion:
    """The final answer. Raises StructuredOutputError if there is no valid one."""
    if contract is None:
        return completion
    outcome = outcome_of(contract, completion)
    if isinstance(outcome, Completion):
        return outcome
    raise invalid_error(outcome, completion)


def is_valid_as_is(contract: Contract, completion: Completion) -> bool:
    """Whether an answer is valid and final without any change."""
    message = completion.message
    return completion.prefill is None and _is_plainly_valid(
        contract, message.content, completion.finish_reason, message.tool_calls, completion.earlier
    )


def record_is_valid(contract: Contract, record: Mapping[str, Any]) -> bool:
    """Whether a recorded answer leads to a final answer."""
    if _record_is_valid_as_is(contract, record):
        return True
    return isinstance(outcome_of(contract, Completion.from_dict(record)), Completion)


def finish_record(contract: Contract | None, record: dict[str, Any]) -> dict[str, Any]:
    """`require_valid` for a record, which may be changed in place."""
    if contract is None:
        return record
    if isinstance(record, ValidRecord) or _record_is_valid_as_is(contract, record):
        record["structured"] = _NATIVE
        return record
    return require_valid(contract, Completion.from_dict(record)).to_dict()


def invalid_error(outcome: AskAgain | Invalid, completion: Completion) -> StructuredOutputError:
    """The error of a row without a valid answer."""
    reason = outcome.reason if isinstance(outcome, Invalid) else outcome.problem
    return StructuredOutputError(reason, text_of(completion), total_usage(completion))


def _record_is_valid_as_is(contract: Contract, record: Mapping[str, Any]) -> bool:
    message = record["message"]
    return "prefill" not in record and _is_plainly_valid(
        contract,
        message.get("content"),
        record["finish_reason"],
        "tool_calls" in message,
        "earlier" in record,
    )


def _is_plainly_valid(
    contract: Contract, content: object, finish_reason: str, tool_calls: object, earlier: object
) -> bool:
    """The one rule for both: whether `outcome_of` would change nothing but `structured`.

    Plain arguments, because an object that holds them would take as long to make as to judge.
    """
    if tool_calls or earlier or not isinstance(content, str):
        return False
    return finish_reason != _WITHHELD and contract.is_valid(content)
