"""What a row is asked next, after an answer that is not valid.

Each answer is recorded before it is looked at, together with those before it, and the next
question follows from the recorded answers alone (`oumi.structured.outcome`). So a run that was
killed goes on where it stopped, and pays for no answer twice.
"""

from __future__ import annotations

from dataclasses import replace

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
    generation = config.generation
    if generation.max_new_tokens != outcome.max_new_tokens:
        wider = generation.model_copy(update={"max_new_tokens": outcome.max_new_tokens})
        config = config.model_copy(update={"generation": wider})
    return request._replace(conversation=conversation, config=config, room=outcome.room)


def failed_repair(failure: Failure, earlier: tuple[Completion, ...], problem: str) -> Failure:
    """The failure of a row that could not be asked for a further answer, with the last answer
    and the tokens of all of them. `problem` is what is wrong with that answer.
    """
    last = replace(earlier[-1], earlier=earlier[:-1])
    return replace(
        failure,
        error_message=f"{problem}; asked again: {failure.error_message}",
        reply=text_of(last),
        usage=total_usage(last),
        structured=Structured.FAILED,
    )
