"""How an engine makes embeddings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EmbeddingSupport:
    """Facts about an engine that makes embeddings."""

    max_texts: int
    """Most texts that one request may hold."""
    dimensions_field: str | None = None
    """The field of a request that says how many numbers a vector has. None: it cannot be said."""
    sends_base64: bool = False
    """Whether it can be asked for vectors in base64: a quarter of the bytes, read in no time."""


USUAL_TEXTS = 128
"""Texts in one request unless the settings say otherwise. Of 500 tokens each, as passages of a
document have, these are a fifth of what OpenAI takes at once (300,000 tokens); with more, a request
that fails costs more than the few that are saved."""
