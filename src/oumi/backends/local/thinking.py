"""Answers in two parts, where a form or a budget makes the thought one of its own.

A sampler that keeps to a form would keep to it from the first token on, and so inside of a thought
that the prompt has opened. So the thought is generated first, without the form, up to its end or to
its budget; the answer then goes on from there.
"""

from __future__ import annotations

from typing import Any

from oumi.backends.local.reasoning import THINK_END, THINK_START
from oumi.backends.local.tool_calls import forced_tools
from oumi.core.configs import GenerationParams
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.runner.request import Request


def may_need_parts(request: Request) -> bool:
    """Whether the answer is generated in two parts if the prompt opens a thought."""
    generation = request.config.generation
    if request.begun:  # what was given is the answer's beginning, not a thought's
        return False
    return bool(
        thinking_budget(generation) is not None
        or generation.guided_decoding is not None
        or forced_tools(request)
    )


def thinking_budget(generation: GenerationParams) -> int | None:
    """Most tokens of a thought; None where only `max_new_tokens` limits it."""
    return 0 if generation.enable_thinking is False else generation.max_thinking_tokens


def thought_request(request: Request) -> Request:
    """The request for the thought alone."""
    generation = request.config.generation
    budget = thinking_budget(generation)
    changes: dict[str, Any] = {
        "guided_decoding": None,
        "max_new_tokens": min(generation.max_new_tokens, budget or generation.max_new_tokens),
        "stop_strings": [THINK_END],
        "min_tokens": 0,
    }
    if forced_tools(request):
        changes["tool_choice"] = "auto"
    return _with_generation(request, changes)


def no_thought() -> Completion:
    """What stands for the thought where there is to be none."""
    return Completion(Message(role=Role.ASSISTANT, content="", reasoning_content=""))


def is_all(request: Request, thought: Completion) -> bool:
    """Whether nothing can follow a thought, which took all tokens that there are."""
    if thought.finish_reason is not FinishReason.LENGTH:
        return False
    tokens = thought.usage.completion_tokens
    asked = thought_request(request).config.generation.max_new_tokens
    return tokens < asked or tokens >= request.config.generation.max_new_tokens


def answer_request(request: Request, thought: Completion) -> Request:
    """The request for the answer that follows a thought."""
    text = thought.message.reasoning_content or ""
    left = request.config.generation.max_new_tokens - thought.usage.completion_tokens
    begun = f"{THINK_START}\n{text}\n{THINK_END}\n\n"
    return _with_generation(request, {"max_new_tokens": left})._replace(begun=begun)


def joined(thought: Completion, answer: Completion) -> Completion:
    """The answer with the thought before it, as if both had been generated at once."""
    if not thought.usage.completion_tokens:
        return answer
    written = answer.usage.prompt_tokens - thought.usage.prompt_tokens
    usage = Usage(
        thought.usage.prompt_tokens,
        max(written, thought.usage.completion_tokens) + answer.usage.completion_tokens,
        reasoning_tokens=thought.usage.completion_tokens,
    )
    return answer._replace(usage=usage, logprobs=_joined_logprobs(thought, answer))


def _joined_logprobs(thought: Completion, answer: Completion) -> Any:
    if thought.logprobs is None or answer.logprobs is None:
        return answer.logprobs
    return {"content": [*thought.logprobs["content"], *answer.logprobs["content"]]}


def _with_generation(request: Request, changes: dict[str, Any]) -> Request:
    generation = request.config.generation.model_copy(update=changes)
    config = request.config.model_copy(update={"generation": generation})
    return request._replace(config=config)
