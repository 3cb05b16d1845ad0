"""The chat format: the Jinja template, and the same text cut into parts for training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment
from tasks.common import Message

TEMPLATE_PATH = Path(__file__).parent / "chat_template.jinja"
END = "<|im_end|>"


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


_TEMPLATE = _environment().from_string(TEMPLATE_PATH.read_text(encoding="utf-8"))


def render(
    messages: list[Message], tools: list[dict[str, Any]] | None = None, *, prompt: bool = False
) -> str:
    """The chat as text; with `prompt` it ends where the model starts to write."""
    return _TEMPLATE.render(messages=messages, tools=tools, add_generation_prompt=prompt)


def cut(messages: list[Message], tools: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """The rendered chat as (text, learned) parts; only what the assistant writes is learned."""
    whole = render(messages, tools)
    parts: list[tuple[str, bool]] = []
    opening = "<|im_start|>assistant\n"
    for index, piece in enumerate(whole.split(opening)):
        if index == 0:
            parts.append((piece + opening, False))
            continue
        reply, rest = piece.split(END, 1)
        parts.append((reply + END, True))
        parts.append((rest + opening, False))
    last, _ = parts.pop()
    tail = last.removesuffix(opening)
    return [*parts, (tail, False)] if tail else parts
