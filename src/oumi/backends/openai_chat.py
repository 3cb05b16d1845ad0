"""Conversations to and from the JSON of OpenAI's chat completions API, which most engines speak.

Fields: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.media.images import read_image
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import (
    ContentItem,
    Conversation,
    FinishReason,
    Message,
    Role,
    Type,
)
from oumi.core.types.tool_call import FunctionCall, ToolCall
from oumi.errors import RequestError

_FINISH_REASONS: dict[str | None, FinishReason] = {
    **{reason.value: reason for reason in FinishReason},
    # Names that some servers give in place of OpenAI's.
    "function_call": FinishReason.TOOL_CALLS,
    "eos": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    # Gemini: https://ai.google.dev/api/generate-content#FinishReason
    "safety": FinishReason.CONTENT_FILTER,
    "recitation": FinishReason.CONTENT_FILTER,
    "blocklist": FinishReason.CONTENT_FILTER,
    "prohibited_content": FinishReason.CONTENT_FILTER,
    "spii": FinishReason.CONTENT_FILTER,
    "image_safety": FinishReason.CONTENT_FILTER,
}


def encode_messages(conversation: Conversation) -> list[dict[str, Any]]:
    """The `messages` of a request. Raises InputError for an image of no known kind."""
    return [_encode_message(message) for message in conversation.messages]


def encode_tools(conversation: Conversation) -> list[dict[str, Any]]:
    """The `tools` of a request."""
    return [tool.model_dump(mode="json", exclude_none=True) for tool in conversation.tools or ()]


def check_tools_are_optional(tool_choice: Any) -> None:
    """Raise RequestError for a `tool_choice` that forces a call in a row without tools."""
    if tool_choice not in (None, "auto", "none"):
        raise RequestError(f"tool_choice is {tool_choice!r}, but the row has no tools")


def decode_choice(
    choice: Mapping[str, Any], usage: Mapping[str, Any] | None, *, logprobs: bool = False
) -> Completion:
    """The completion in an entry of `choices`, with the reply's `usage`.

    Log-probabilities are left out unless `logprobs` is set.
    """
    return Completion(
        decode_message(choice["message"]),
        decode_finish_reason(choice.get("finish_reason")),
        decode_usage(usage or {}),
        choice.get("logprobs") if logprobs else None,
    )


def decode_message(message: Mapping[str, Any]) -> Message:
    """The assistant's message. Missing content becomes an empty text, unless there are calls."""
    calls = [_decode_call(call) for call in message.get("tool_calls") or ()]
    content, reasoning = _split_content(message.get("content"))
    # DeepSeek, xAI and others: `reasoning_content`; Groq, OpenRouter and vLLM: `reasoning`.
    reasoning = message.get("reasoning_content") or message.get("reasoning") or reasoning
    return Message(
        role=Role.ASSISTANT,
        content=content or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=reasoning or None,
    )


def decode_finish_reason(value: str | None) -> FinishReason:
    """The finish reason that a `finish_reason` means; UNKNOWN for one that is not in our table."""
    found = _FINISH_REASONS.get(value)
    if found is None and value:  # Gemini: `SAFETY`, `content_filter: PROHIBITED_CONTENT`
        found = _FINISH_REASONS.get(value.lower().partition(":")[0])
    return found or FinishReason.UNKNOWN


def decode_usage(usage: Mapping[str, Any]) -> Usage:
    """Token counts; 0 for those that are missing."""
    prompt, completion = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    details = usage.get("completion_tokens_details") or {}
    # xAI and Gemini leave reasoning out of `completion_tokens`, but not out of `total_tokens`:
    # https://docs.x.ai/docs/guides/reasoning
    uncounted = max((usage.get("total_tokens") or 0) - prompt - completion, 0)
    return Usage(
        prompt,
        completion + uncounted,
        (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
        details.get("reasoning_tokens") or uncounted,
    )


def _split_content(content: Any) -> tuple[str, str]:
    """Text and reasoning of a `content`, which Mistral gives as a list of parts.

    https://docs.mistral.ai/capabilities/reasoning
    """
    if not isinstance(content, list):
        return content or "", ""
    text = "".join(part["text"] for part in content if part["type"] == "text")
    thinking = [part["thinking"] for part in content if part["type"] == "thinking"]
    return text, "".join(chunk.get("text", "") for chunks in thinking for chunk in chunks)


def _encode_message(message: Message) -> dict[str, Any]:
    encoded: dict[str, Any] = {"role": message.role, "content": message.content}
    if isinstance(message.content, list):
        encoded["content"] = [_encode_item(item) for item in message.content]
    if message.name is not None:
        encoded["name"] = message.name
    if message.tool_calls:
        encoded["tool_calls"] = [
            call.model_dump(mode="json", exclude_none=True) for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        encoded["tool_call_id"] = message.tool_call_id
    return encoded


def _encode_item(item: ContentItem) -> dict[str, Any]:
    if item.type == Type.TEXT:
        return {"type": "text", "text": item.content}
    url = item.content if item.type == Type.IMAGE_URL else read_image(item).url
    return {"type": "image_url", "image_url": {"url": url}}


def _decode_call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(
        id=call.get("id") or "",
        function=FunctionCall(name=function["name"], arguments=function.get("arguments") or "{}"),
        extra_content=call.get("extra_content"),
    )


class StreamAssembler:
    """Reads the chunks of a streamed reply: a delta from each, and the whole choice at the end.

    `usage` is that of the last chunk that had any; None if none had.
    """

    def __init__(self) -> None:
        self._message: dict[str, Any] = {"content": "", "reasoning_content": "", "tool_calls": []}
        self._finish_reason: str | None = None
        self._logprobs: list[Any] = []
        self.usage: dict[str, Any] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether a finish reason has come; a stream that ends without one was cut off."""
        return self._finish_reason is not None

    @property
    def choice(self) -> dict[str, Any]:
        """What has come so far, as the entry of `choices` in a reply that was not streamed."""
        choice = {"message": self._message, "finish_reason": self._finish_reason}
        if self._logprobs:
            choice["logprobs"] = {"content": self._logprobs}
        return choice

    def add(self, chunk: Mapping[str, Any]) -> Delta | None:
        """Add a chunk; the text and reasoning in it, None if it has neither."""
        self.usage = chunk.get("usage") or self.usage
        if not chunk.get("choices"):
            return None
        choice = chunk["choices"][0]
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        self._logprobs += (choice.get("logprobs") or {}).get("content") or ()
        return self._add_delta(choice.get("delta") or {})

    def _add_delta(self, delta: Mapping[str, Any]) -> Delta | None:
        content, reasoning = _split_content(delta.get("content"))
        reasoning = delta.get("reasoning_content") or delta.get("reasoning") or reasoning
        self._message["content"] += content
        self._message["reasoning_content"] += reasoning
        for call in delta.get("tool_calls") or ():
            self._add_call(call)
        return Delta(content, reasoning) if content or reasoning else None

    def _add_call(self, part: Mapping[str, Any]) -> None:
        """Add a part of a tool call; `index` says of which. Names and arguments come in parts."""
        calls = self._message["tool_calls"]
        index = part.get("index", 0)
        while len(calls) <= index:
            calls.append({"id": "", "function": {"name": "", "arguments": ""}})
        call, function = calls[index], part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        if part.get("extra_content"):
            call["extra_content"] = part["extra_content"]
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""
