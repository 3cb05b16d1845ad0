"""How much a model behind Converse thinks, in the fields that its maker has for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from oumi.backends.remote.dialects.claude_thinking import NAMES, thinking_fields
from oumi.core.configs import InferenceConfig
from oumi.errors import UnsupportedError

_CLAUDE = re.compile(r"anthropic\.|claude")
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
_OPENAI = re.compile(r"(?:^|[./])openai\.")
# https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
_NOVA = re.compile(r"(?:^|[./])amazon\.nova-2")


def bedrock_thinking(config: InferenceConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields for the settings of thinking, beside those that the user has `given`.

    Raises ConfigError and UnsupportedError for what the model does not take.
    """
    generation, name = config.generation, config.model.model_name
    named = [one for one in NAMES if getattr(generation, one) is not None]
    if not named or _CLAUDE.search(name):
        return thinking_fields(config, given)
    effort = generation.reasoning_effort
    if _OPENAI.search(name) and named == ["reasoning_effort"]:
        return {"reasoning_effort": effort}
    if _NOVA.search(name) and generation.max_thinking_tokens is None:
        return {"reasoningConfig": _nova(effort, enabled=generation.enable_thinking is not False)}
    raise UnsupportedError(
        f"{name} does not take generation.{named[-1]}: models of Anthropic do, Nova 2 takes "
        "enable_thinking and reasoning_effort, and models of OpenAI reasoning_effort alone"
    )


def _nova(effort: str | None, *, enabled: bool) -> dict[str, Any]:
    if effort == "none" or not enabled:
        return {"type": "disabled"}
    return {"type": "enabled", **({"maxReasoningEffort": effort} if effort else {})}
