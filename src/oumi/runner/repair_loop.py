"""Asks a row further until an answer has its form.

Each answer is recorded before it is looked at, together with those before it, and what is asked
next follows from the recorded answers alone (oumi.structured.outcome). So a run that was killed
goes on where it stopped, and pays for no answer twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from oumi.core.types.completion import Completion, Failure, Structured
from oumi.runner.request import Request
from oumi.structured.contract import Contract
from oumi.structured.finish import invalid_error
from oumi.structured.outcome import AskAgain, Invalid, outcome_of, text_of, total_usage

Earlier = tuple[Completion, ...]
Ask = Callable[[Request, Earlier], Awaitable[Completion]]
"""Asks a request, and records its answer with the earlier ones of the row."""


async def mend(
    contract: Contract,
    request: Request,
    completion: Completion,
    ask: Ask,
    report: Callable[[str], object],
) -> Completion:
    """The answer as it is handed out, after one that may not fit. Raises StructuredOutputError
    where none has the form. `report` hears what is wrong before each further question.
    """
    outcome = outcome_of(contract, completion)
    while isinstance(outcome, AskAgain):
        report(outcome.problem)
        completion = await ask(_follow_up(request, outcome), completion.answers)
        outcome = outcome_of(contract, completion)
    if isinstance(outcome, Invalid):
        raise invalid_error(outcome, completion)
    return outcome


def failed_after(failure: Failure, earlier: Earlier, problem: str) -> Failure:
    """The failure of a row that could not be asked further, with what it was paid for."""
    last = replace(earlier[-1], earlier=earlier[:-1])
    return replace(
        failure,
        error_message=f"{problem}; asked again: {failure.error_message}",
        reply=text_of(last),
        usage=total_usage(last),
        structured=Structured.FAILED,
    )


def _follow_up(request: Request, outcome: AskAgain) -> Request:
    """The request with more turns or more room. Its key stays that of the row."""
    conversation, config = request.conversation, request.config
    if outcome.messages:
        messages = [*conversation.messages, *outcome.messages]
        conversation = conversation.model_copy(update={"messages": messages})
    generation = config.generation
    if generation.max_new_tokens != outcome.max_new_tokens:
        wider = generation.model_copy(update={"max_new_tokens": outcome.max_new_tokens})
        config = config.model_copy(update={"generation": wider})
    return Request(conversation, config, request.key)
