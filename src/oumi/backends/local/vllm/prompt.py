"""Conversations as prompts of vLLM, made by its own renderer for the model."""

from __future__ import annotations

import asyncio
from typing import Any

from oumi.backends.local.chat_template import (
    begin_answer,
    check_images,
    mark_special,
    template_arguments,
    template_messages,
    tokenize,
)
from oumi.backends.local.special_tokens import find_special_tokens
from oumi.backends.local.truncation import check_prompt_length, shortened
from oumi.backends.local.vllm.runtime import Runtime
from oumi.backends.local.vllm.versions import ChatParams
from oumi.backends.media.images import has_images
from oumi.errors import ContextLengthError, OumiError, RequestError
from oumi.runner.raw_prompt import raw_prompt
from oumi.runner.request import Request

# The parameters that vLLM names in its error for a prompt that is too long.
_LENGTH_PARAMETERS = ("input_text", "input_tokens")


async def render(request: Request, runtime: Runtime) -> tuple[Any, str]:
    """The prompt with its images, as vLLM's `generate` takes it, and the start of the answer that
    stands at its end. It is cut where that is asked for.

    Raises RequestError for one that cannot be made or does not fit.
    """
    while True:
        prompt = await _render(request, runtime)
        begun = begin_answer(prompt["prompt_token_ids"], request, runtime.tokenizer)
        shorter = shortened(request, len(begun.ids), runtime.context_length)
        if shorter is None:
            break
        request = shorter
    check_prompt_length(len(begun.ids), runtime.context_length)
    return {**prompt, "prompt_token_ids": begun.ids}, begun.begun


async def _render(request: Request, runtime: Runtime) -> Any:
    arguments = template_arguments(request)
    template = request.config.model.chat_template
    params = ChatParams(chat_template=template, chat_template_kwargs=arguments)
    try:
        if has_images(request.conversation):
            return await _render_images(request, runtime, params)
        # This takes 0.2 ms, less than a hand-over to a thread.
        return _render_text(request, runtime, params)
    except OumiError:
        raise
    except Exception as error:  # templates, image processors and vLLM's checks raise anything
        raise _translated(error, runtime) from error


def _render_text(request: Request, runtime: Runtime, params: ChatParams) -> Any:
    if (raw := raw_prompt(request)) is not None:
        return {"type": "token", "prompt_token_ids": runtime.tokenizer.encode(raw)}
    messages = template_messages(request.conversation)
    special = find_special_tokens(runtime.tokenizer)
    asked = [messages, params.chat_template_kwargs["tools"]]
    marked = mark_special(asked, request, special)
    is_cut = request.config.generation.truncate_prompt is not None  # vLLM would refuse a long one
    if not runtime.renders_jinja or (marked == asked and not is_cut):
        _, [prompt] = runtime.renderer.render_chat([messages], params)
        return prompt
    messages, tools = marked
    kwargs = {**params.chat_template_kwargs, "tools": tools, "tokenize": False}
    params = ChatParams(chat_template=params.chat_template, chat_template_kwargs=kwargs)
    _, rendered = runtime.renderer.render_messages(messages, params)
    ids = tokenize(special.split(rendered["prompt"]), runtime.tokenizer)
    return {"type": "token", "prompt_token_ids": ids}


async def _render_images(request: Request, runtime: Runtime, params: ChatParams) -> Any:
    check_images(request, runtime.tokenizer, "VLLM")
    messages = await asyncio.to_thread(template_messages, request.conversation)
    _, [prompt] = await runtime.renderer.render_chat_async([messages], params)
    return prompt


def _translated(error: Exception, runtime: Runtime) -> RequestError:
    if getattr(error, "parameter", None) in _LENGTH_PARAMETERS:
        return ContextLengthError(
            f"the prompt does not fit into the context of {runtime.context_length:,} "
            f"(model.model_max_length): {error}"
        )
    return RequestError(f"the prompt cannot be made: {error}")
