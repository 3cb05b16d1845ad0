"""Requests to llama.cpp's endpoint that completes a prompt, and its replies.

Fields: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.chat_template import may_hold_thought, to_completion
from oumi.backends.local.continuation import form_of_rest
from oumi.backends.local.llama_cpp.body import NEUTRAL, caches_prompt, decode_json
from oumi.backends.local.llama_cpp.prompt import Prompt
from oumi.backends.local.llama_cpp.settings import (
    ADAPTERS,
    COMPLETION,
    LLGUIDANCE,
    REQUEST,
    llguidance,
)
from oumi.backends.local.room import room_of
from oumi.backends.local.streaming import TextStreamer
from oumi.backends.local.tool_calls import forced_tools, offered_tools
from oumi.backends.local.tool_grammar import calls_grammar
from oumi.backends.openai_reply import decode_finish_reason, decode_usage
from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import FinishReason
from oumi.runner.request import Request


def encode(
    request: Request, prompt: Prompt, template: ChatTemplate, *, stream: bool = False
) -> bytes:
    """The body of a request, as JSON. Raises UnsupportedError for a grammar that cannot be kept."""
    generation = request.config.generation
    body = {
        "prompt": prompt.content,
        **NEUTRAL,
        "cache_prompt": caches_prompt(generation),
        **REQUEST.encode(request.config, generation.guided_decoding, room_of(request)),
        **ADAPTERS.encode(request.config, request.config),
        **COMPLETION.encode(request.config),
        **_grammar(request, template),
    }
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return write_json(body)


def _grammar(request: Request, template: ChatTemplate) -> dict[str, Any]:
    guided, calls = form_of_rest(request), calls_grammar(request, marked=template.marks_calls)
    if calls is not None:
        return {"grammar": LLGUIDANCE + calls}
    return {"grammar": "" if guided is None else llguidance(guided, room_of(request))}


def decode(reply: bytes, request: Request, prompt: Prompt) -> Completion:
    """The completion in a reply. Raises the error that the reply holds instead."""
    answer = Answer(request, prompt)
    answer.add(reply)
    return answer.completion


class Answer:
    """One answer, put together from a reply or from the chunks of a streamed one."""

    def __init__(self, request: Request, prompt: Prompt):
        self._request = request
        self._text = prompt.begun
        self._finish_reason = FinishReason.UNKNOWN
        self._usage = Usage()
        self._logprobs: list[dict[str, Any]] = []
        self._streamer = TextStreamer(
            [], tools=bool(offered_tools(request)), thoughts=may_hold_thought(request)
        )
        if request.begun:  # the caller knows it
            self._streamer.update(request.begun)
        # Forced tool calls are JSON that is no content, so nothing of it is streamed.
        self._streams_text = not forced_tools(request)

    def add(self, chunk: bytes) -> Delta | None:
        """Add a chunk; what can be sent now, None if nothing. Raises the error that it holds."""
        data = decode_json(chunk)
        [choice] = data["choices"]
        self._text += choice["text"]
        self._logprobs += (choice.get("logprobs") or {}).get("content") or ()
        if choice["finish_reason"] is not None:
            self._finish_reason = decode_finish_reason(choice["finish_reason"])
        if data.get("usage"):
            # How many tokens were cached depends on what the slot held before.
            usage = decode_usage(data["usage"])
            self._usage = Usage(usage.prompt_tokens, usage.completion_tokens)
        return self._streamer.update(self._text) if self._streams_text else None

    @property
    def completion(self) -> Completion:
        """The whole answer, with reasoning and tool calls in fields of their own."""
        top = self._request.config.generation.logprobs
        logprobs = None if top is None else {"content": list(_cut(self._logprobs, top))}
        return to_completion(self._text, self._finish_reason, self._usage, self._request, logprobs)

    def last_deltas(self) -> list[Delta]:
        """What was held back, if anything, and the delta that carries the completion."""
        return self._streamer.finish(self.completion)


def _cut(entries: list[dict[str, Any]], top: int) -> Iterator[dict[str, Any]]:
    """The entries with as many alternatives as were asked for: llama.cpp gives one at least."""
    for entry in entries:
        yield {**entry, "top_logprobs": entry["top_logprobs"][:top]}
