"""Which prompts a batch of an API takes."""

from __future__ import annotations

from oumi.core.configs.generation_params import GenerationParams
from oumi.errors import UnsupportedError


def check_is_chat(generation: GenerationParams) -> None:
    """Raise UnsupportedError for prompts that are asked as they are."""
    if not generation.apply_chat_template:
        raise UnsupportedError(
            "generation.apply_chat_template: a batch of an API takes no prompts without a chat "
            "template; infer asks them"
        )
