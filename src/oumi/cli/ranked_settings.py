"""Settings from several places, of which the nearer one wins.

From the lowest in rank: the user's defaults (`oumi config`), the model of the last conversation
where it goes on, a YAML file, the command line.
"""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli import user_defaults
from oumi.cli.overrides import read_settings
from oumi.core.configs import InferenceConfig

_OF_MODEL = {"model", "engine", "remote_params"}
"""Groups that say together which model answers, and where."""


def read_ranked(
    ctx: click.Context, path: Path | None, last: InferenceConfig | None = None
) -> InferenceConfig:
    """The settings of a command; `last` are those of a conversation that goes on."""
    return over_defaults(over(last or InferenceConfig(), read_settings(ctx, path)))


def over_defaults(given: InferenceConfig) -> InferenceConfig:
    """`given` over the user's defaults. Raises ConfigError for defaults that cannot be read."""
    return over(user_defaults.load(), given)


def over(lower: InferenceConfig, given: InferenceConfig) -> InferenceConfig:
    """`given` over `lower`. Where it names a model or an engine, nothing that `lower` says of these
    or of an address holds: it would be about another model.
    """
    if names_model(given):
        kept = lower.model_fields_set - _OF_MODEL
        lower = InferenceConfig(**{name: getattr(lower, name) for name in kept})
    return lower.merge(given)


def names_model(config: InferenceConfig) -> bool:
    """Whether settings say which model answers, or where."""
    remote = config.remote_params
    is_elsewhere = remote is not None and remote.api_url is not None
    named = "model_name" in config.model.model_fields_set
    return config.engine is not None or named or is_elsewhere
