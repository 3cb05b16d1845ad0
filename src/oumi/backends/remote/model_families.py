"""Facts about families of models, whichever provider serves them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from oumi.core.configs import GenerationParams
from oumi.errors import UnsupportedError


@dataclass(frozen=True)
class ModelFamily:
    """Facts about the models whose names match `names`."""

    names: re.Pattern[str]
    max_tokens_field: str = "max_tokens"
    fixed: frozenset[str] = frozenset()
    """Sampling settings that the models do not take, or only at their default."""
    temperature_or_top_p: bool = False
    """Whether the models take only one of the two."""
    json_schema: bool = True
    """Whether the models support schemas, where their API has a field for them."""
    responses_only: bool = False
    """Whether OpenAI serves the models by its Responses API alone."""
    encrypts_reasoning: bool = False
    """Whether OpenAI's Responses API gives their reasoning encrypted, to be sent back."""
    later_system: bool = True
    """Whether a system message may stand after the first turn."""
    budgets_thinking: bool = False
    """Whether a model of Anthropic takes a number of tokens for its thoughts."""
    adapts_thinking: bool = False
    """Whether a model of Anthropic decides by itself how much it thinks."""
    prefill: bool = True
    """Whether a last message of the assistant is continued, where the API does so."""


_ANY = ModelFamily(re.compile(""))

# Reasoning models: https://platform.openai.com/docs/guides/reasoning
_REASONING = ModelFamily(
    re.compile(r"^(?:.*/)?(?:o\d|gpt-5(?!.*chat))"),
    max_tokens_field="max_completion_tokens",
    fixed=frozenset(
        {
            "temperature",
            "top_p",
            "frequency_penalty",
            "presence_penalty",
            "logprobs",
            "logit_bias",
            "stop_strings",
        }
    ),
    encrypts_reasoning=True,
)

# Those of which their page names the Responses API alone: https://platform.openai.com/docs/models
_RESPONSES_ONLY = replace(
    _REASONING,
    names=re.compile(
        r"^(?:.*/)?(?:codex-|computer-use-|gpt-(?:daybreak|rosalind)-"
        r"|(?:o\d.*-(?:pro|deep-research)|gpt-\d.*-(?:pro|codex|cyber|rosalind|law))(?![a-z]))"
    ),
    responses_only=True,
)

# Claude, also under the names of Bedrock and OpenRouter:
# https://platform.claude.com/docs/en/about-claude/models/migration-guide
# https://platform.claude.com/docs/en/build-with-claude/structured-outputs
# https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
# https://platform.claude.com/docs/en/build-with-claude/extended-thinking
_CLAUDE_3 = ModelFamily(
    re.compile(r".*claude-(?:instant|v?2|v?3(?![-.]7))"), json_schema=False, later_system=False
)
_CLAUDE_3_7 = replace(_CLAUDE_3, names=re.compile(r".*claude-3[-.]7"), budgets_thinking=True)
_CLAUDE_4 = ModelFamily(
    re.compile(r".*claude-(?:4-|(?:opus|sonnet|haiku)-4(?:$|[-.@][01](?!\d)|[-@]20\d{6}))"),
    temperature_or_top_p=True,
    json_schema=False,
    later_system=False,
    budgets_thinking=True,
)
_CLAUDE_4_5 = ModelFamily(
    re.compile(r".*claude-(?:opus|sonnet|haiku)-4[-.]5(?!\d)"),
    temperature_or_top_p=True,
    later_system=False,
    budgets_thinking=True,
)
_CLAUDE_4_6 = replace(
    _CLAUDE_4_5,
    names=re.compile(r".*claude-(?:opus|sonnet|haiku)-4[-.]6(?!\d)"),
    adapts_thinking=True,
    prefill=False,
)
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_CLAUDE_4_7 = ModelFamily(
    re.compile(r".*claude-(?:opus-4[-.]7|mythos-preview|sonnet-5(?![-.]\d(?!\d)))"),
    fixed=_SAMPLING,
    later_system=False,
    adapts_thinking=True,
    prefill=False,
)
_CLAUDE = ModelFamily(
    re.compile(r".*claude-"), fixed=_SAMPLING, adapts_thinking=True, prefill=False
)

# https://api-docs.deepseek.com/guides/thinking_mode
_DEEPSEEK_REASONER = ModelFamily(
    re.compile(r"^deepseek-reasoner"),
    fixed=frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs"}),
)

# https://docs.x.ai/docs/guides/reasoning
_GROK_REASONING = ModelFamily(
    re.compile(r"^(?:.*/)?grok-(?:3-mini|4(?!.*non-reasoning)|code)"),
    fixed=frozenset({"frequency_penalty", "presence_penalty", "stop_strings"}),
)

FAMILIES: tuple[ModelFamily, ...] = (
    _RESPONSES_ONLY,
    _REASONING,
    _CLAUDE_3,
    _CLAUDE_3_7,
    _CLAUDE_4,
    _CLAUDE_4_5,
    _CLAUDE_4_6,
    _CLAUDE_4_7,
    _CLAUDE,
    _DEEPSEEK_REASONER,
    _GROK_REASONING,
)

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "temperature": (1,),
    "top_p": (None, 1),
    "top_k": (None,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (None,),
    "logit_bias": ({},),
    "stop_strings": (None, []),
}
"""Values of these settings that change nothing, so that they need not be refused."""


def family_of(model_name: str) -> ModelFamily:
    """The facts that hold for a model."""
    return next((family for family in FAMILIES if family.names.match(model_name)), _ANY)


def check_family(model_name: str, generation: GenerationParams) -> None:
    """Raise UnsupportedError for a sampling setting that the model does not take."""
    for name in sorted(family_of(model_name).fixed & generation.model_fields_set):
        if getattr(generation, name) not in _NEUTRAL[name]:
            raise UnsupportedError(
                f"{model_name} does not take generation.{name}: leave it out, or use a model "
                "that takes it"
            )
