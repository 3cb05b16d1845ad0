"""Conversations as vLLM's prompts, by the renderer that vLLM has for the model."""

from __future__ import annotations

import asyncio
from typing import Any

from oumi.backends.local.chat_template import (
    check_fits,
    has_images,
    template_arguments,
    template_messages,
)
from oumi.backends.local.vllm.runtime import Runtime
from oumi.backends.local.vllm.versions import ChatParams
from oumi.errors import OumiError, RequestError, UnsupportedError
from oumi.runner.request import Request

_TOO_LONG = ("input_text", "input_tokens")


async def render(request: Request, runtime: Runtime) -> Any:
    """The prompt, with its images. Raises RequestError for one that cannot be made."""
    images = has_images(request.conversation)
    if images and not _takes_images(runtime):
        raise UnsupportedError(f"{runtime.model.model} takes no images")
    params = ChatParams(
        chat_template=request.config.model.chat_template,
        chat_template_kwargs=template_arguments(request),
    )
    try:
        # Text alone takes a fifth of a millisecond, less than a thread would cost.
        prompt = await (_with_images if images else _text)(request, runtime, params)
    except OumiError:
        raise
    except Exception as error:  # of templates, of images, of vLLM's checks
        raise _translate(error, runtime) from error
    check_fits(len(prompt["prompt_token_ids"]), runtime.context)
    return prompt


async def _text(request: Request, runtime: Runtime, params: ChatParams) -> Any:
    messages = template_messages(request.conversation)
    _, [prompt] = runtime.renderer.render_chat([messages], params)
    return prompt


async def _with_images(request: Request, runtime: Runtime, params: ChatParams) -> Any:
    messages = await asyncio.to_thread(template_messages, request.conversation)
    _, [prompt] = await runtime.renderer.render_chat_async([messages], params)
    return prompt


def _takes_images(runtime: Runtime) -> bool:
    processor = runtime.renderer.mm_processor
    return processor is not None and "image" in processor.info.supported_mm_limits


def _translate(error: Exception, runtime: Runtime) -> RequestError:
    if getattr(error, "parameter", None) in _TOO_LONG:
        return RequestError(
            f"the prompt does not fit into the context of {runtime.context:,} "
            f"(model.model_max_length): {error}"
        )
    return RequestError(f"the prompt cannot be made: {error}")
