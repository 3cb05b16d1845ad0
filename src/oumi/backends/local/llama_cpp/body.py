"""The bodies of requests to llama.cpp's chat endpoint and of its replies.

Fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from typing import Any

import orjson

from oumi.backends.local.llama_cpp.settings import ADAPTERS, CHAT, REQUEST, TOOLS
from oumi.backends.local.room import room_of
from oumi.backends.local.truncation import check_prompt_length
from oumi.backends.openai_chat import (
    check_tools_are_optional,
    encode_messages_for_template,
    encode_tools,
)
from oumi.backends.openai_reply import decode_choice
from oumi.core.configs import GenerationParams
from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion
from oumi.errors import OumiError, RequestError, UnavailableError, UnsupportedError
from oumi.runner.request import Request

# llama.cpp's own defaults (top_k 40, min_p 0.05) change what a model samples.
NEUTRAL = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0, "seed": -1}
"""Values of settings that were not given."""


def encode(request: Request, *, stream: bool = False) -> bytes:
    """The body of a request, as JSON.

    Raises InputError, RequestError or UnsupportedError for what llama.cpp cannot be sent.
    """
    generation = request.config.generation
    messages = encode_messages_for_template(request.conversation)
    for message in messages:
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = _readable(call["function"]["arguments"])
    body = {
        "messages": messages,
        **NEUTRAL,
        "cache_prompt": caches_prompt(generation),
        **_tools(request),
        **ADAPTERS.encode(request.config, request.config),
        **CHAT.encode(request.config, request.config),
        **REQUEST.encode(request.config, generation.guided_decoding, room_of(request)),
    }
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return write_json(body)


def _readable(arguments: str) -> str:
    """The arguments of an earlier call as JSON, which llama.cpp insists on."""
    try:
        orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        return write_json(arguments).decode()
    return arguments


def caches_prompt(generation: GenerationParams) -> bool:
    """Whether what a slot holds of a prompt already is not computed again.

    The rest is then computed in other batches, whose rounding differs a little: enough to change a
    sample that has to be repeatable.
    """
    return generation.seed is None or generation.temperature == 0


def encode_for_template(request: Request) -> bytes:
    """The body of a request for the prompt alone. Raises as `encode` does."""
    kwargs = request.config.model.chat_template_kwargs or {}
    flags = {name: kwargs[name] for name in ("add_generation_prompt",) if name in kwargs}
    return write_json({**orjson.loads(encode(request)), **flags})


def decode(reply: bytes, request: Request) -> Completion:
    """The completion in a reply. Raises the error that the reply holds instead."""
    data = decode_json(reply)
    return decode_answer(data["choices"][0], data.get("usage"), request)


def decode_answer(
    choice: dict[str, Any], usage: dict[str, Any] | None, request: Request
) -> Completion:
    """The completion in an entry of `choices`, made the same in each run.

    Random ids of tool calls are replaced by numbers. How many tokens of the prompt were cached is
    left out: it depends on what the slot held before.
    """
    earlier = sum(len(message.tool_calls or ()) for message in request.conversation.messages)
    for number, call in enumerate(choice["message"].get("tool_calls") or (), start=earlier):
        call["id"] = f"call_{number}"
    counts = {name: n for name, n in (usage or {}).items() if name != "prompt_tokens_details"}
    logprobs = request.config.generation.logprobs is not None
    return decode_choice(choice, counts, logprobs=logprobs)


def decode_json(reply: bytes) -> dict[str, Any]:
    """A reply, or a chunk of one. Raises the error that it holds instead."""
    data: dict[str, Any] = orjson.loads(reply)
    error = data.get("error") or (data if "code" in data and "message" in data else None)
    if error is not None:
        if error.get("type") == "exceed_context_size_error":
            check_prompt_length(error["n_prompt_tokens"], error["n_ctx"])
        status, text = int(error.get("code") or 500), str(error.get("message"))
        error_type = RequestError if status < 500 else UnavailableError
        raise error_type(f"llama.cpp: {text}", status=status)
    return data


def translate(error: RuntimeError) -> OumiError:
    """An error of the xllamacpp binding as one of ours."""
    return RequestError(f"llama.cpp: {error}")


def _tools(request: Request) -> dict[str, Any]:
    generation = request.config.generation
    if not request.conversation.tools:
        check_tools_are_optional(generation.tool_choice)
        return {}
    if generation.guided_decoding is not None:
        raise UnsupportedError("LLAMACPP cannot honour guided_decoding for a row that has tools")
    return {"tools": encode_tools(request.conversation), **TOOLS.encode(request.config)}
