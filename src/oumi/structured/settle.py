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
from oumi.structured.check import Found, clip
from oumi.structured.expectation import Expectation
from oumi.structured.repair import repair_turns
from oumi.structured.runaway import find_runaway

_ROOM = 2


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The conversation goes on with `turns`, or is repeated with more room."""

    misfit: str
    turns: tuple[Message, ...]
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class Misfit:
    """No answer has the form that was asked for."""

    reason: str


Outcome = Completion | AskAgain | Misfit
"""A completion is the answer as it is handed out: peeled, with the tokens of all answers."""


def settle(expectation: Expectation, completion: Completion) -> Outcome:
    """What becomes of the last answer of a row; `completion.earlier` holds those before it."""
    text = text_of(completion)
    if completion.message.tool_calls:
        return _finish(completion, None, Found(text), text)
    if completion.finish_reason is FinishReason.CONTENT_FILTER:
        return Misfit(f"the answer was withheld or refused: {clip(text) or 'no reason given'}")
    found = expectation.read(text)
    if found.misfit is None:
        repaired = any(not _is_cut_off(answer) for answer in completion.earlier)
        kind = Structured.REPAIRED if repaired else Structured.NATIVE
        return _finish(completion, kind, found, text)
    if _is_cut_off(completion):
        return _settle_cut_off(expectation, completion, text)
    return _settle_misfit(expectation, completion, found.misfit)


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
        raw_content=text if found.peeled else None,
    )


def _settle_cut_off(expectation: Expectation, completion: Completion, text: str) -> Outcome:
    room = _room(expectation, completion.earlier)
    cut = f"the answer was cut off after {completion.usage.completion_tokens or room} tokens"
    loop = find_runaway(text)
    if loop is not None:
        return Misfit(f"{cut}, in an endless run of {loop}")
    if any(map(_is_cut_off, completion.earlier)):
        return Misfit(f"{cut}, with twice the room that it had at first: raise max_new_tokens")
    if expectation.guided.max_repairs == 0:
        return Misfit(f"{cut}: raise max_new_tokens")
    turns = _last_turns(expectation, completion.earlier)
    return AskAgain(cut, turns, room * _ROOM)


def _settle_misfit(expectation: Expectation, completion: Completion, misfit: str) -> Outcome:
    earlier = completion.earlier
    if sum(not _is_cut_off(answer) for answer in earlier) >= expectation.guided.max_repairs:
        return Misfit(f"the answer does not have the form asked for: {misfit}")
    turns = repair_turns(expectation.guided, text_of(completion), misfit)
    return AskAgain(misfit, turns, _room(expectation, earlier))


def _last_turns(expectation: Expectation, earlier: Sequence[Completion]) -> tuple[Message, ...]:
    """The turns by which the answer after these was asked for."""
    for answer in reversed(earlier):
        if not _is_cut_off(answer):
            text = text_of(answer)
            return repair_turns(expectation.guided, text, expectation.read(text).misfit or "")
    return ()


def _room(expectation: Expectation, earlier: Sequence[Completion]) -> int:
    """Most tokens of the answer after these."""
    wider = any(map(_is_cut_off, earlier))
    return expectation.max_new_tokens * (_ROOM if wider else 1)


def _is_cut_off(completion: Completion) -> bool:
    return completion.finish_reason is FinishReason.LENGTH
