"""Whether rows are plain conversations, or columns that something has to be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.run_choices import PROMPT_SETTINGS
from oumi.errors import ConfigError

# Columns that mean something beside `messages`: settings of the row, and parts of its prompt.
_MEANT = frozenset(
    {"temperature", "max_new_tokens", "seed", "schema", "adapter", "system", "image", "images"}
)


def has_prompt_settings(config: InferenceConfig) -> bool:
    """Whether the settings say what is made of rows."""
    return any(getattr(config, name) is not None for name in PROMPT_SETTINGS)


def check_has_columns(config: InferenceConfig, first: object) -> None:
    """Raise ConfigError where the settings say what is made of columns, and the rows have none."""
    given = [name for name in PROMPT_SETTINGS if getattr(config, name) is not None]
    if given and first is not None:
        raise ConfigError(
            f"{given[0]}: is for rows with columns, such as dicts or a data frame; these are "
            f"{type(first).__name__}"
        )


def needs_shape(row: Mapping[str, Any], config: InferenceConfig) -> bool:
    """Whether a row, the first one, is more or other than a plain conversation or message."""
    if has_prompt_settings(config):
        return True
    if "messages" in row:
        return isinstance(row["messages"], list | tuple) and not _MEANT.isdisjoint(row)
    return "role" not in row
