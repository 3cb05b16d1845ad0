"""A model's reasoning in the chat completions API, which each server names otherwise.

OpenAI's own API does not show it, so there is no name that all would follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.conversation import Message

# DeepSeek, xAI, Fireworks, SGLang: `reasoning_content`; Groq, OpenRouter, Together, vLLM:
# `reasoning`; LiteLLM: `thinking_blocks`; gateways before Anthropic's models: `thinking`.
# https://openrouter.ai/docs/use-cases/reasoning-tokens describes `reasoning_details`.
_NAMES = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
_DETAILS = ("reasoning_details", "thinking_blocks")
REASONING_FIELDS = frozenset(_NAMES)
"""All fields of a message in which there may be reasoning."""
_TEXTS = ("text", "thinking", "summary", "content")
_JOINED = (*_TEXTS, "data")
_MOST_NESTED = 8
"""Deeper than any server nests its texts."""


def read_reasoning(message: Mapping[str, Any]) -> str:
    """The reasoning as text, from a message or a part of one."""
    for name in _NAMES:
        value = message.get(name)
        if value:
            text = text_of(value)
            if text:
                return text
    return ""


def encode_reasoning(message: Message, field: str, *, required: bool) -> dict[str, Any]:
    """The field in which the reasoning before a call of a tool is sent back.

    The model goes on from it once it has the tool's answer. `required` sends it where it is empty,
    too. Reasoning before a plain answer is not sent: it would be paid for and not used.
    """
    if not message.tool_calls:
        return {}
    text = message.reasoning_content or ""
    if field == "reasoning_details":
        if _is_openrouter(message.reasoning_details):
            return {field: message.reasoning_details}
        field = "reasoning"  # the same as text
    return {field: text} if text or required else {}


def read_details(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of the reasoning as they came, such as signed or encrypted ones."""
    for name in _DETAILS:
        details = message.get(name)
        if isinstance(details, list):
            return [detail for detail in details if isinstance(detail, dict)]
    return []


def join_details(details: list[dict[str, Any]], parts: list[dict[str, Any]]) -> None:
    """Add streamed parts to the details before them: one text may come in many parts."""
    for part in parts:
        if details and _is_same(details[-1], part):
            _join(details[-1], part)
        else:
            details.append(dict(part))


def text_of(value: Any, depth: int = 0) -> str:
    """The text in a value: a text, an object that has one, or a list of these."""
    if isinstance(value, str):
        return value
    if depth == _MOST_NESTED:
        return ""
    if isinstance(value, list):
        return "".join(text_of(part, depth + 1) for part in value)
    if isinstance(value, dict):
        found = next((value[name] for name in _TEXTS if value.get(name)), None)
        return text_of(found, depth + 1)
    return ""


def _is_openrouter(details: list[dict[str, Any]] | None) -> bool:
    return bool(details) and all(str(d.get("type")).startswith("reasoning.") for d in details or ())


def _is_same(detail: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    """Whether a part goes on with the detail before it. A signature comes last."""
    if detail.get("signature") and (part.get("text") or part.get("thinking")):
        return False
    return all(detail.get(name) == part.get(name) for name in ("type", "index"))


def _join(detail: dict[str, Any], part: Mapping[str, Any]) -> None:
    for name, value in part.items():
        before = detail.get(name)
        if name in _JOINED and isinstance(before, str) and isinstance(value, str):
            detail[name] = before + value
        elif value is not None:
            detail[name] = value
