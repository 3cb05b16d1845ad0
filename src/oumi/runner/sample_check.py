"""Whether the samples of a row can differ at all."""

from __future__ import annotations

from oumi.core.logs import warn_once
from oumi.data.source import Source
from oumi.errors import ConfigError
from oumi.runner.session import Session


def check_samples(session: Session, source: Source) -> None:
    """Raise ConfigError for samples that would all be the same because no temperature was set; warn
    where it was set to 0.
    """
    count = source.num_samples
    if count == 1 or source.has_settings or not session.is_greedy:
        return
    generation = session.config.generation
    if "temperature" in generation.model_fields_set:
        warn_once(
            f"generation.num_samples: at temperature 0 the {count} samples of a row are "
            "most likely the same answer"
        )
        return
    raise ConfigError(
        f"generation.num_samples: {count} samples at temperature 0, the default, would be "
        "the same answer: set generation.temperature, such as 1.0"
    )
