"""What a row is asked next, after an answer that is not valid.

Each answer is recorded before it is looked at, together with those before it, and the next
question follows from the recorded answers alone (`oumi.structured.outcome`). So a run that was
killed goes on where it stopped, and pays for no answer twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.types.completion import Completion, Structured
from oumi.core.types.failure import Failure
from oumi.core.types.message import Role
from oumi.runner.request import Request
from oumi.structured.outcome import AskAgain, text_of, total_usage


def repair_request(request: Request, outcome: AskAgain) -> Request:
    """The row's first request with more messages or more tokens. Its key stays that of the row."""
    conversation, config = request.conversation, request.config
    if outcome.messages:
        before = conversation.messages
        if before[-1].role is Role.ASSISTANT:  # what was continued is part of the answer
            before = before[:-1]
        messages = [*before, *outcome.messages]
        conversation = conversation.model_copy(update={"messages": messages})
    changed = _changed_generation(config.generation, outcome)
    if changed:
        generation = config.generation.model_copy(update=changed)
        config = config.model_copy(update={"generation": generation})
    return request._replace(conversation=conversation, config=config, room=outcome.room)


def _changed_generation(generation: GenerationParams, outcome: AskAgain) -> dict[str, Any]:
    """The settings by which the request differs from the row's first one."""
    changed: dict[str, Any] = {}
    if generation.max_new_tokens != outcome.max_new_tokens:
        changed["max_new_tokens"] = outcome.max_new_tokens
    if generation.temperature < outcome.min_temperature:
        changed["temperature"] = outcome.min_temperature
    if outcome.repeats and (changed.get("temperature") or generation.seed is not None):
        changed["seed"] = _other_seed(generation.seed or 0, outcome.repeats)
    return changed


def _other_seed(seed: int, number: int) -> int:
    """Another seed each time, the same in each run, and as small as the first one."""
    return seed - number if seed >= number else seed + number


def failed_repair(failure: Failure, earlier: tuple[Completion, ...], problem: str) -> Failure:
    """The failure of a row that could not be asked for a further answer, with the last answer
    and the tokens of all of them. `problem` is what is wrong with that answer.
    """
    last = earlier[-1]._replace(earlier=earlier[:-1])
    return replace(
        failure,
        error_message=f"{problem}; asked again: {failure.error_message}",
        reply=text_of(last),
        usage=total_usage(last),
        structured=Structured.FAILED,
    )
