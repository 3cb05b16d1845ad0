"""What tokens cost, where no published price is to count."""

from __future__ import annotations

from pydantic import Field

from oumi.core.configs.base import Settings


class PriceParams(Settings):
    """What tokens cost, in place of the published price of the model."""

    input_per_million: float = Field(ge=0.0)
    """Dollars for a million tokens of prompts."""

    output_per_million: float = Field(ge=0.0)
    """Dollars for a million tokens of answers."""

    cached_per_million: float | None = Field(default=None, ge=0.0)
    """Dollars for a million tokens of prompts that are read from a cache. None: as all others."""
