"""Requests to llama.cpp's chat endpoint, and its replies.

Fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from typing import Any

import orjson

from oumi.core.configs import GenerationParams
from oumi.core.types.completion import Completion, Delta
from oumi.errors import OumiError, RequestError, UnavailableError, UnsupportedError
from oumi.inference.chat_api import decode_choice, encode_messages, encode_tools
from oumi.inference.local.llama_cpp.constraints import to_grammar
from oumi.runner.request import Request


def encode(request: Request, *, stream: bool = False) -> bytes:
    """The body of a request. Raises RequestError for content that cannot be sent."""
    generation = request.config.generation
    body = {"messages": encode_messages(request.conversation), **_sampling(generation)}
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    if request.config.model.chat_template_kwargs:
        body["chat_template_kwargs"] = request.config.model.chat_template_kwargs
    if request.conversation.tools:
        body.update(_tools(request))
    if generation.guided_decoding is not None:
        body["grammar"] = to_grammar(generation.guided_decoding)
    return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)


def decode(reply: bytes, request: Request) -> Completion:
    """The completion in a reply. Raises the error in it instead."""
    data = orjson.loads(reply)
    raise_error(data)
    return _decode_choice(data["choices"][0], data.get("usage"), request)


def _decode_choice(
    choice: dict[str, Any], usage: dict[str, Any] | None, request: Request
) -> Completion:
    """The completion of a choice, without what differs from run to run: random ids of tool
    calls, and how much of the prompt a slot happened to hold already.
    """
    earlier = sum(len(message.tool_calls or ()) for message in request.conversation.messages)
    for number, call in enumerate(choice["message"].get("tool_calls") or (), start=earlier):
        call["id"] = f"call_{number}"
    counts = {name: n for name, n in (usage or {}).items() if name != "prompt_tokens_details"}
    logprobs = request.config.generation.logprobs is not None
    return decode_choice(choice, counts, logprobs=logprobs)


def raise_error(data: dict[str, Any]) -> None:
    """Raise the error that a reply holds, if it holds one."""
    error = data.get("error") or (data if "code" in data and "message" in data else None)
    if error is not None:
        status = int(error.get("code") or 500)
        kind = RequestError if status < 500 else UnavailableError
        raise kind(f"llama.cpp: {error.get('message')}", status=status)


def translate(error: RuntimeError) -> OumiError:
    """What an exception of the binding means."""
    text = str(error)
    if "mmproj" in text:
        return UnsupportedError(
            "this model takes no images; a vision model also needs its projector: "
            "model.model_kwargs.mmproj"
        )
    return RequestError(f"llama.cpp: {text}")


class StreamDecoder:
    """Chunks of a streamed reply to pieces; `piece` is called once a chunk."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._message: dict[str, Any] = {"content": "", "reasoning_content": "", "tool_calls": []}
        self._finish_reason: str | None = None
        self._usage: dict[str, Any] | None = None

    def piece(self, chunk: bytes) -> Delta | None:
        """The piece in a chunk, if it holds any text. Raises the error in it instead."""
        data = orjson.loads(chunk)
        raise_error(data)
        self._usage = data.get("usage") or self._usage
        if not data.get("choices"):
            return None
        choice = data["choices"][0]
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        return self._add(choice.get("delta") or {})

    def last(self) -> Delta:
        """The piece that carries the whole answer."""
        choice = {"message": self._message, "finish_reason": self._finish_reason}
        return Delta(completion=_decode_choice(choice, self._usage, self._request))

    def _add(self, delta: dict[str, Any]) -> Delta | None:
        content = delta.get("content") or ""
        reasoning = delta.get("reasoning_content") or ""
        self._message["content"] += content
        self._message["reasoning_content"] += reasoning
        for call in delta.get("tool_calls") or ():
            self._add_call(call)
        return Delta(content, reasoning) if content or reasoning else None

    def _add_call(self, part: dict[str, Any]) -> None:
        calls = self._message["tool_calls"]
        index = part.get("index", 0)
        while len(calls) <= index:
            calls.append({"id": "", "function": {"name": "", "arguments": ""}})
        call, function = calls[index], part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""


def _sampling(generation: GenerationParams) -> dict[str, Any]:
    """Sampling settings, each one named, because llama.cpp's own defaults are not neutral."""
    body: dict[str, Any] = {
        "max_tokens": generation.max_new_tokens,
        "temperature": generation.temperature,
        "top_p": 1.0 if generation.top_p is None else generation.top_p,
        "top_k": generation.top_k or 0,
        "min_p": generation.min_p,
        "frequency_penalty": generation.frequency_penalty,
        "presence_penalty": generation.presence_penalty,
        "repeat_penalty": 1.0,
        "repeat_last_n": generation.max_new_tokens,  # penalties look at the answer
        "seed": -1 if generation.seed is None else generation.seed,
    }
    if generation.stop_strings:
        body["stop"] = generation.stop_strings
    if generation.logit_bias:
        body["logit_bias"] = _logit_bias(generation.logit_bias)
    if generation.logprobs is not None:
        body.update(logprobs=True, top_logprobs=generation.logprobs)
    return body


def _logit_bias(biases: dict[str | int, float]) -> list[list[Any]]:
    """Pairs of a token id, or of a text whose tokens are meant, and the bias."""
    return [[int(token) if str(token).isdigit() else token, bias] for token, bias in biases.items()]


def _tools(request: Request) -> dict[str, Any]:
    generation = request.config.generation
    if generation.guided_decoding is not None:
        raise UnsupportedError("LLAMACPP cannot honour guided_decoding for a row that has tools")
    body: dict[str, Any] = {
        "tools": encode_tools(request.conversation),
        "parallel_tool_calls": generation.parallel_tool_calls,
    }
    if generation.tool_choice is not None:
        body["tool_choice"] = generation.tool_choice
    return body
