"""Conversations as prompts of vLLM, made by its own renderer for the model."""

from __future__ import annotations

import asyncio
from typing import Any

from oumi.backends.local.chat_template import (
    check_prompt_length,
    template_arguments,
    template_messages,
)
from oumi.backends.local.vllm.runtime import Runtime
from oumi.backends.local.vllm.versions import ChatParams
from oumi.backends.media.images import has_images
from oumi.errors import OumiError, RequestError
from oumi.runner.request import Request

# The parameters that vLLM names in its error for a prompt that is too long.
_LENGTH_PARAMETERS = ("input_text", "input_tokens")


async def render(request: Request, runtime: Runtime) -> Any:
    """The prompt with its images, as vLLM's `generate` takes it.

    Raises RequestError for one that cannot be made or does not fit.
    """
    images = has_images(request.conversation)
    params = ChatParams(
        chat_template=request.config.model.chat_template,
        chat_template_kwargs=template_arguments(request),
    )
    try:
        # Text alone takes 0.2 ms, less than a hand-over to a thread.
        prompt = await (_render_images if images else _render_text)(request, runtime, params)
    except OumiError:
        raise
    except Exception as error:  # templates, image processors and vLLM's checks raise anything
        raise _translated(error, runtime) from error
    check_prompt_length(len(prompt["prompt_token_ids"]), runtime.context_length)
    return prompt


async def _render_text(request: Request, runtime: Runtime, params: ChatParams) -> Any:
    messages = template_messages(request.conversation)
    _, [prompt] = runtime.renderer.render_chat([messages], params)
    return prompt


async def _render_images(request: Request, runtime: Runtime, params: ChatParams) -> Any:
    messages = await asyncio.to_thread(template_messages, request.conversation)
    _, [prompt] = await runtime.renderer.render_chat_async([messages], params)
    return prompt


def _translated(error: Exception, runtime: Runtime) -> RequestError:
    if getattr(error, "parameter", None) in _LENGTH_PARAMETERS:
        return RequestError(
            f"the prompt does not fit into the context of {runtime.context_length:,} "
            f"(model.model_max_length): {error}"
        )
    return RequestError(f"the prompt cannot be made: {error}")
