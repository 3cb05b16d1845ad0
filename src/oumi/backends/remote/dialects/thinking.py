"""How much a model thinks, in the fields of the chat API that each provider has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.provider import Provider, ThinkingForm
from oumi.core.configs import InferenceConfig


def encode_thinking(_: Any, config: InferenceConfig, provider: Provider) -> Mapping[str, Any]:
    """The fields for all settings of thinking together, as one of them may be sent within another.

    They lay over those of the same names that other settings have.
    """
    generation = config.generation
    effort, enabled = generation.reasoning_effort, generation.enable_thinking
    as_effort = {} if effort is None else {"reasoning_effort": effort}
    match provider.thinking:
        case ThinkingForm.EFFORT:
            return as_effort
        case ThinkingForm.TEMPLATE:
            given = config.model.chat_template_kwargs or {}
            # Qwen, GLM and SmolLM read the first, DeepSeek, Granite and Kimi the second.
            names = () if enabled is None else ("enable_thinking", "thinking")
            kwargs = {**dict.fromkeys(names, enabled), **given}
            return {**as_effort, **({"chat_template_kwargs": kwargs} if kwargs else {})}
        case ThinkingForm.TYPE:
            kind = "enabled" if enabled else "disabled"
            return {} if enabled is None else {"thinking": {"type": kind}}
    most = generation.max_thinking_tokens
    fields = {"effort": effort, "enabled": enabled, "max_tokens": most}
    return {"reasoning": {name: value for name, value in fields.items() if value is not None}}
