"""How texts become vectors."""

from __future__ import annotations

from pydantic import Field

from oumi.core.configs.base import Settings


class EmbeddingParams(Settings):
    """How texts become vectors."""

    dimensions: int | None = Field(default=None, ge=1)
    """How many numbers a vector has, for models that can make shorter ones. None: as many as the
    model gives."""

    texts_per_request: int | None = Field(default=None, ge=1)
    """Most texts in one request. None: as many as the engine is good for."""
