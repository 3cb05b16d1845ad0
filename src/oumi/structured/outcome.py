"""What becomes of an answer: a pure function of all answers that a row has had so far.

    it fits                                  the row is done
    cut off in a loop                        the row fails
    cut off, and it was so before            the row fails
    cut off                                  asked again with twice the room
    withheld by a filter, or refused         the row fails
    anything else, `max_repairs` times       asked to be mended
    anything else                            the row fails

An answer that calls tools is taken as it is. With `max_repairs` 0 nothing is asked again. So a row
has at most `max_repairs` + 2 answers, none with more than twice `max_new_tokens`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oumi.core.types.completion import Completion, Structured, Usage
from oumi.core.types.conversation import FinishReason, Message
from oumi.structured.contract import Contract
from oumi.structured.loops import find_loop
from oumi.structured.repair_prompt import repair_messages
from oumi.structured.validate import Found, clip

_ROOM = 2


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The conversation goes on with `turns`, or is repeated with more room."""

    problem: str
    turns: tuple[Message, ...]
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class Invalid:
    """No answer has the form that was asked for."""

    reason: str


Outcome = Completion | AskAgain | Invalid
"""A completion is the answer as it is handed out: extracted, with the tokens of all answers."""


def outcome_of(contract: Contract, completion: Completion) -> Outcome:
    """What becomes of the last answer of a row; `completion.earlier` holds those before it."""
    text = text_of(completion)
    if completion.message.tool_calls:
        return _finish(completion, None, Found(text), text)
    if completion.finish_reason is FinishReason.CONTENT_FILTER:
        return Invalid(f"the answer was withheld or refused: {clip(text) or 'no reason given'}")
    found = contract.read(text)
    if found.problem is None:
        repaired = any(not _is_cut_off(answer) for answer in completion.earlier)
        kind = Structured.REPAIRED if repaired else Structured.NATIVE
        return _finish(completion, kind, found, text)
    if _is_cut_off(completion):
        return _settle_cut_off(contract, completion, text)
    return _settle_misfit(contract, completion, found.problem)


def text_of(completion: Completion) -> str:
    """The text of an answer."""
    content = completion.message.content
    if isinstance(content, str):
        return content
    return completion.message.compute_flattened_text_content("")


def total_usage(completion: Completion) -> Usage:
    """The tokens of an answer and of those before it."""
    return sum((answer.usage for answer in completion.earlier), completion.usage)


def _finish(completion: Completion, kind: Structured | None, found: Found, text: str) -> Completion:
    message = completion.message
    if found.text is not text:
        message = message.model_copy(update={"content": found.text})
    return Completion(
        message,
        completion.finish_reason,
        total_usage(completion) if completion.earlier else completion.usage,
        completion.logprobs,
        structured=kind,
        raw_content=text if found.extracted else None,
    )


def _settle_cut_off(contract: Contract, completion: Completion, text: str) -> Outcome:
    room = _room(contract, completion.earlier)
    cut = f"the answer was cut off after {completion.usage.completion_tokens or room} tokens"
    loop = find_loop(text)
    if loop is not None:
        return Invalid(f"{cut}, in an endless run of {loop}")
    if any(map(_is_cut_off, completion.earlier)):
        return Invalid(f"{cut}, with twice the room that it had at first: raise max_new_tokens")
    if contract.guided.max_repairs == 0:
        return Invalid(f"{cut}: raise max_new_tokens")
    turns = _last_turns(contract, completion.earlier)
    return AskAgain(cut, turns, room * _ROOM)


def _settle_misfit(contract: Contract, completion: Completion, problem: str) -> Outcome:
    earlier = completion.earlier
    if sum(not _is_cut_off(answer) for answer in earlier) >= contract.guided.max_repairs:
        return Invalid(f"the answer does not have the form asked for: {problem}")
    turns = repair_messages(contract.guided, text_of(completion), problem)
    return AskAgain(problem, turns, _room(contract, earlier))


def _last_turns(contract: Contract, earlier: Sequence[Completion]) -> tuple[Message, ...]:
    """The turns by which the answer after these was asked for."""
    for answer in reversed(earlier):
        if not _is_cut_off(answer):
            text = text_of(answer)
            return repair_messages(contract.guided, text, contract.read(text).problem or "")
    return ()


def _room(contract: Contract, earlier: Sequence[Completion]) -> int:
    """Most tokens of the answer after these."""
    wider = any(map(_is_cut_off, earlier))
    return contract.max_new_tokens * (_ROOM if wider else 1)


def _is_cut_off(completion: Completion) -> bool:
    return completion.finish_reason is FinishReason.LENGTH
