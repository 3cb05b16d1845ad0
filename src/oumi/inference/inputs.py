"""What settings say of the input of a call."""

from __future__ import annotations

from oumi.core.configs import InferenceConfig


def without_input(config: InferenceConfig | None) -> InferenceConfig | None:
    """The settings for conversations that the caller made: no input file says where media lie."""
    if config is None or config.input_path is None:
        return config
    return config.model_copy(update={"input_path": None})
