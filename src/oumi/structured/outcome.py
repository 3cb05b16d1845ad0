"""What follows from an answer: a pure function of all the answers that a row has had.

    valid                                    the row is done
    cut off in a loop                        the row fails, unless a sampler can bound it
    cut off, as an earlier answer was        the row fails
    cut off                                  asked again, with twice the token budget
    withheld by a filter, or refused         the row fails
    invalid, up to `max_repairs` times       asked to repair its answer
    invalid                                  the row fails

An answer that calls tools is not validated. With `max_repairs` 0 no row is asked again. So a row
has at most `max_repairs` + 2 answers, none of more than twice `max_new_tokens`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oumi.core.types.completion import Completion, Structured, Usage
from oumi.core.types.conversation import FinishReason, Message
from oumi.structured.clip import clip
from oumi.structured.contract import Contract
from oumi.structured.loops import find_loop
from oumi.structured.repair_prompt import repair_messages
from oumi.structured.room import Room, room_after
from oumi.structured.validate import Verdict

_BUDGET_FACTOR = 2  # once an answer was cut off; doubling helps most answers that only ran long

# Other answers become possible, and the likeliest tokens stay likely.
_REPEATED_TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The row is asked again: its conversation with `messages` added, and a token budget."""

    problem: str
    """What is wrong with the last answer."""
    messages: tuple[Message, ...]
    """Empty if the same request is repeated with a larger budget."""
    max_new_tokens: int
    room: Room | None = None
    """That of an answer which has to end in time, where one was cut off."""
    repeats: int = 0
    """How often the row was asked the very same before: another seed may give another answer."""
    min_temperature: float = 0.0
    """What the temperature is raised to, because at 0 another seed changes nothing."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The row fails: no answer satisfies the contract."""

    reason: str


Outcome = Completion | AskAgain | Invalid
"""A completion is the final answer: the valid text, with the usage of all answers of the row."""


def outcome_of(contract: Contract, completion: Completion) -> Outcome:
    """What follows from the last answer of a row; `completion.earlier` holds those before it."""
    text = _judged_text(contract, completion)
    if completion.message.tool_calls:
        return _accept(completion, None, Verdict(text), text)
    if completion.finish_reason is FinishReason.CONTENT_FILTER:
        return Invalid(f"the answer was withheld or refused: {clip(text) or 'no reason given'}")
    verdict = contract.validate(text)
    if verdict.describe is None:
        is_repaired = _count_repairs(completion.earlier) > 0
        kind = Structured.REPAIRED if is_repaired else Structured.NATIVE
        return _accept(completion, kind, verdict, text)
    if _is_cut_off(completion):
        return _outcome_of_cut_off(contract, completion, text)
    return _outcome_of_invalid(contract, completion, text, verdict.describe())


def text_of(completion: Completion) -> str:
    """The text of an answer; its text parts joined, if it has several."""
    content = completion.message.content
    if isinstance(content, str):
        return content
    return completion.message.compute_flattened_text_content("")


def _judged_text(contract: Contract, completion: Completion) -> str:
    """The text that has to have the form: all of an answer, or what it adds to a message."""
    text = text_of(completion)
    if completion.prefill and contract.guided.applies_to == "continuation":
        return text.removeprefix(completion.prefill)
    return text


def total_usage(completion: Completion) -> Usage:
    """The tokens of an answer and of those before it."""
    return sum((answer.usage for answer in completion.earlier), completion.usage)


def _accept(
    completion: Completion, kind: Structured | None, verdict: Verdict, text: str
) -> Completion:
    message, whole = completion.message, text_of(completion)
    if verdict.text is not text:
        before = whole.removesuffix(text)  # of a message that was continued
        message = message.model_copy(update={"content": before + verdict.text})
    return Completion(
        message,
        completion.finish_reason,
        total_usage(completion) if completion.earlier else completion.usage,
        completion.logprobs,
        structured=kind,
        raw_content=text if verdict.extracted else None,
        context_full=completion.context_full,
        prefill=completion.answers[0].prefill,  # a repaired answer takes the message's place too
    )


def _outcome_of_cut_off(contract: Contract, completion: Completion, text: str) -> Outcome:
    earlier = completion.earlier
    budget = _token_budget(contract, earlier)
    problem = f"the answer was cut off after {completion.usage.completion_tokens or budget} tokens"
    loop = find_loop(text)
    if loop is not None and (earlier or not contract.has_bounds):
        return Invalid(f"{problem}, in an endless run of {loop}")
    if completion.context_full:
        return Invalid(
            f"{problem}: the context is full, of which the prompt takes "
            f"{completion.usage.prompt_tokens:,} tokens: raise model.model_max_length, shorten the "
            "row, or set generation.truncate_prompt"
        )
    if any(map(_is_cut_off, earlier)):
        return Invalid(f"{problem}, with twice the budget it had at first: raise max_new_tokens")
    if contract.guided.max_repairs == 0:
        return Invalid(f"{problem}: raise max_new_tokens")
    messages = _messages_of_request(contract, earlier)
    budget *= _BUDGET_FACTOR
    return AskAgain(problem, messages, budget, _room_after(completion, budget))


def _outcome_of_invalid(
    contract: Contract, completion: Completion, text: str, problem: str
) -> Outcome:
    earlier = completion.earlier
    if _count_repairs(earlier) >= contract.guided.max_repairs:
        return Invalid(f"the answer does not have the form asked for: {problem}")
    messages = repair_messages(contract.guided, text, problem)
    budget = _token_budget(contract, earlier)
    repeats = sum(text_of(one) == text for one in earlier if not _is_cut_off(one))
    # A model behind an API hardly ever answers twice the same, and may take no temperature.
    temperature = _REPEATED_TEMPERATURE if repeats and contract.is_sampled_here else 0.0
    return AskAgain(problem, messages, budget, _room(earlier, budget), repeats, temperature)


def _messages_of_request(contract: Contract, earlier: Sequence[Completion]) -> tuple[Message, ...]:
    """The messages that were added to the request which followed these answers."""
    for answer in reversed(earlier):
        if not _is_cut_off(answer):
            text = text_of(answer)
            return repair_messages(contract.guided, text, contract.validate(text).problem or "")
    return ()


def _token_budget(contract: Contract, earlier: Sequence[Completion]) -> int:
    """The `max_new_tokens` of the request that followed these answers."""
    is_larger = any(map(_is_cut_off, earlier))
    return contract.max_new_tokens * (_BUDGET_FACTOR if is_larger else 1)


def _room(earlier: Sequence[Completion], budget: int) -> Room | None:
    """The room of the request that followed these answers, if one of them was cut off."""
    cut_off = next(filter(_is_cut_off, earlier), None)
    return None if cut_off is None else _room_after(cut_off, budget)


def _room_after(cut_off: Completion, budget: int) -> Room:
    return room_after(text_of(cut_off), cut_off.usage.completion_tokens, budget)


def _count_repairs(earlier: Sequence[Completion]) -> int:
    """How many of the answers led to a repair: all but those that were cut off."""
    return sum(not _is_cut_off(answer) for answer in earlier)


def _is_cut_off(completion: Completion) -> bool:
    return completion.finish_reason is FinishReason.LENGTH
