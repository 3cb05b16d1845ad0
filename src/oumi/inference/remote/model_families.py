"""What is particular to families of models, whichever provider serves them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelFamily:
    """Facts about the models whose names match `names`."""

    names: re.Pattern[str]
    max_tokens_field: str = "max_tokens"
    fixed: frozenset[str] = frozenset()
    """Sampling settings that the models do not take; their only value is 1 or none at all."""


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
)

FAMILIES: tuple[ModelFamily, ...] = (_REASONING,)


def family_of(model_name: str) -> ModelFamily:
    """The facts that hold for a model."""
    return next((family for family in FAMILIES if family.names.match(model_name)), _ANY)
