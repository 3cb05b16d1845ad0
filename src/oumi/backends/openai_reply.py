"""Replies of OpenAI's chat completions API, and of the many servers that answer like it.

What these add, leave out or name otherwise is read as far as it goes. Only a message that cannot
be read raises: LookupError, TypeError, AttributeError or ValueError.

Fields: https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.openai_reasoning import (
    REASONING_FIELDS,
    read_details,
    read_reasoning,
    text_of,
)
from oumi.backends.recordable import check_recordable
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall

_FINISH_REASONS: dict[str, FinishReason] = {
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
_MOST_TOKENS = 2**53
"""A larger count is no count: JSON's numbers are exact up to here."""

_ID_DIGITS = 9
"""Mistral's chat templates take ids of just this length."""

_BESIDE_CONTENT = REASONING_FIELDS | {"tool_calls", "function_call"}

# Mistral's citations: https://docs.mistral.ai/capabilities/citations
_PARTS_WITHOUT_TEXT = ("text", "output_text", "reference")


def decode_choice(choice: Mapping[str, Any], usage: Any, *, logprobs: bool = False) -> Completion:
    """The completion in an entry of `choices`, with the reply's `usage`.

    Log-probabilities are left out unless `logprobs` is set.
    """
    return Completion(
        decode_message(choice["message"]),
        decode_finish_reason(choice.get("finish_reason")),
        decode_usage(usage),
        choice.get("logprobs") if logprobs else None,
    )


def decode_message(message: Mapping[str, Any]) -> Message:
    """The assistant's message. Missing content becomes an empty text, unless there are calls."""
    content = message.get("content")
    has_more = not _BESIDE_CONTENT.isdisjoint(message) and any(map(message.get, _BESIDE_CONTENT))
    if isinstance(content, str) and not has_more:  # most answers by far
        return Message.of_answer(content)
    calls = _decode_calls(message)
    text, reasoning = read_content(content)
    decoded = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=read_reasoning(message) or reasoning or None,
        reasoning_details=read_details(message) or None,
    )
    check_recordable(decoded)
    return decoded


def decode_finish_reason(value: object) -> FinishReason:
    """The finish reason that a `finish_reason` means; UNKNOWN for one that is not in our table."""
    if not isinstance(value, str):
        return FinishReason.UNKNOWN
    found = _FINISH_REASONS.get(value)
    if found is None:  # Gemini: `SAFETY`, `content_filter: PROHIBITED_CONTENT`
        found = _FINISH_REASONS.get(value.lower().partition(":")[0])
    return found or FinishReason.UNKNOWN


def decode_usage(usage: object) -> Usage:
    """Token counts; 0 for those that are missing, or are no counts."""
    if not isinstance(usage, dict):
        return Usage()
    prompt_details = as_mapping(usage.get("prompt_tokens_details"))
    completion_details = as_mapping(usage.get("completion_tokens_details"))
    prompt = read_count(usage.get("prompt_tokens"))
    completion = read_count(usage.get("completion_tokens"))
    # xAI and Gemini leave reasoning out of `completion_tokens`, but not out of `total_tokens`:
    # https://docs.x.ai/docs/guides/reasoning
    uncounted = max(read_count(usage.get("total_tokens")) - prompt - completion, 0)
    return Usage(
        prompt,
        completion + uncounted,
        # Together has those of its cache in no object of their own.
        read_count(prompt_details.get("cached_tokens")) or read_count(usage.get("cached_tokens")),
        read_count(completion_details.get("reasoning_tokens")) or uncounted,
        read_count(prompt_details.get("cache_write_tokens")),
    )


def read_count(value: object) -> int:
    """A number of tokens; 0 for what is none. A side fact must not cost an answer."""
    if not value:
        return 0
    if type(value) is int and 0 < value <= _MOST_TOKENS:  # as good as always
        return value
    if isinstance(value, str) and value.isdecimal():
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if 0 <= value <= _MOST_TOKENS else 0
    return 0


def as_mapping(value: object) -> Mapping[str, Any]:
    """The value where it is an object; an empty one otherwise."""
    return value if isinstance(value, dict) else {}


def read_content(content: Any) -> tuple[str, str]:
    """Text and reasoning of a `content`, which some give as a list of parts.

    Raises ValueError for a part that holds something else. Mistral's reasoning:
    https://docs.mistral.ai/capabilities/reasoning
    """
    if content is None or isinstance(content, str):
        return content or "", ""
    texts, reasoning = [], []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict) and part.get("thinking"):
            reasoning.append(text_of(part["thinking"]))
        else:
            texts.append(_text_of_part(part))
    return "".join(texts), "".join(reasoning)


def read_arguments(arguments: Any) -> str:
    """The arguments of a call as JSON text. Some servers send an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return write_json(arguments).decode()


def read_id(value: object, *made_of: object) -> str:
    """The id of a call. One that is missing is made of what the call says: the same each time."""
    if isinstance(value, str) and value:
        return value
    if type(value) is int:
        return str(value)
    digest = new_digest()
    digest.update(repr(made_of).encode(errors="replace"))
    return digest.hexdigest()[:_ID_DIGITS]


def _text_of_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    for name in ("text", "refusal"):
        if isinstance(part.get(name), str):
            return str(part[name])
    if part.get("type") in _PARTS_WITHOUT_TEXT and not part.get("text"):
        return ""
    raise ValueError(f"a part of the content without text: {part!r:.200}")


def _decode_calls(message: Mapping[str, Any]) -> list[ToolCall]:
    calls = message.get("tool_calls")
    if not calls:
        # The form before `tool_calls`, which some servers still have.
        old = message.get("function_call")
        if not (isinstance(old, dict) and old.get("name")):
            return []
        calls = [{"function": old}]
    elif isinstance(calls, dict):
        calls = [calls]
    return [_decode_call(call, number) for number, call in enumerate(calls)]


def _decode_call(call: Mapping[str, Any], number: int) -> ToolCall:
    function = call.get("function") or call
    name, arguments = function["name"], read_arguments(function.get("arguments")) or "{}"
    if not name:
        raise ValueError("a tool call without a name")
    extra = call.get("extra_content")
    return ToolCall(
        id=read_id(call.get("id"), number, name, arguments),
        function=FunctionCall(name=name, arguments=arguments),
        extra_content=extra if isinstance(extra, dict) else None,
    )
