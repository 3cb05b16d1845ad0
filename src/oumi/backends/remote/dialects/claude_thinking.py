"""How much a model of Anthropic thinks, in the fields that its generation has for it.

https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
https://platform.claude.com/docs/en/build-with-claude/extended-thinking
https://platform.claude.com/docs/en/build-with-claude/effort
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.remote.model_families import family_of
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.errors import ConfigError, UnsupportedError

# Tokens of a thought for a model that knows no efforts. The API takes no fewer than the first.
_LEAST_TOKENS = 1024
_TOKENS = {"minimal": _LEAST_TOKENS, "low": 2048, "medium": 4096, "high": 8192}

NAMES = ("reasoning_effort", "enable_thinking", "max_thinking_tokens")
"""The settings of thinking, of `generation`."""


def thinking_fields(
    config: InferenceConfig, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`thinking` and `output_config` for the settings of thinking; neither where none is set.

    `given` are fields for the model that the user has named by himself. Raises ConfigError for
    settings that contradict each other, UnsupportedError for what the model does not take.
    """
    generation, fields = config.generation, given or {}
    named = [name for name in NAMES if getattr(generation, name) is not None]
    if not named:
        return {}
    if "thinking" in fields:
        raise ConfigError(
            f"generation.{named[0]} and model.model_kwargs.thinking both say how the model thinks: "
            "leave one of them out"
        )
    if _is_off(generation):
        return _off(config.model.model_name)
    family = family_of(config.model.model_name)
    tokens = generation.max_thinking_tokens
    if family.adapts_thinking and not (tokens is not None and family.budgets_thinking):
        return _adaptive(generation, fields)
    if not family.budgets_thinking:
        raise UnsupportedError(f"{config.model.model_name} does not think: generation.{named[0]}")
    return {"thinking": {"type": "enabled", "budget_tokens": _budget(generation)}}


def thinks(fields: Mapping[str, Any]) -> bool:
    """Whether these fields of a body ask a model of Anthropic to think."""
    thinking = fields.get("thinking")
    return isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "adaptive")


def check_thinking(fields: Mapping[str, Any], generation: GenerationParams) -> None:
    """Raise ConfigError for a thinking budget that leaves no tokens for an answer."""
    thinking = fields.get("thinking")
    budget = thinking.get("budget_tokens", 0) if isinstance(thinking, Mapping) else 0
    if isinstance(budget, int) and budget >= generation.max_new_tokens:
        raise ConfigError(
            f"the budget of thinking is {budget} tokens; it has to be less than "
            f"generation.max_new_tokens, which is {generation.max_new_tokens} and counts thoughts"
        )


def _is_off(generation: GenerationParams) -> bool:
    effort, tokens = generation.reasoning_effort, generation.max_thinking_tokens
    is_off = generation.enable_thinking is False
    if is_off and (effort not in (None, "none") or tokens):
        raise ConfigError("generation.enable_thinking is false, and another setting asks to think")
    return is_off or effort == "none" or tokens == 0


def _off(model_name: str) -> dict[str, Any]:
    """Models that decide by themselves think where that is asked for: they know no `disabled`."""
    is_told = family_of(model_name).budgets_thinking
    return {"thinking": {"type": "disabled"}} if is_told else {}


def _adaptive(generation: GenerationParams, given: Mapping[str, Any]) -> dict[str, Any]:
    if generation.max_thinking_tokens is not None:
        raise UnsupportedError(
            "this model decides by itself how long it thinks: set generation.reasoning_effort in "
            "place of generation.max_thinking_tokens"
        )
    # Later models show their thoughts only where that is asked for.
    fields: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "summarized"}}
    if (effort := generation.reasoning_effort) is not None:
        effort = "low" if effort == "minimal" else effort
        fields["output_config"] = {**(given.get("output_config") or {}), "effort": effort}
    return fields


def _budget(generation: GenerationParams) -> int:
    """The tokens of a thought: as set, by the effort, or half of the answer's."""
    effort, tokens = generation.reasoning_effort, generation.max_thinking_tokens
    if tokens is not None and tokens < _LEAST_TOKENS:
        raise ConfigError(
            f"generation.max_thinking_tokens: {tokens}; this API takes 0 or from {_LEAST_TOKENS:,}"
        )
    if tokens is not None:
        return tokens
    if effort is None:
        return max(generation.max_new_tokens // 2, _LEAST_TOKENS)
    if effort not in _TOKENS:
        known = ", ".join(("none", *_TOKENS))
        raise UnsupportedError(f"generation.reasoning_effort: {effort!r} is none of {known}")
    return _TOKENS[effort]
