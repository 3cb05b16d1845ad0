"""Requests for embeddings.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from oumi.core.names import did_you_mean
from oumi.server.bodies import Body, read_body
from oumi.server.http.errors import wrong_field

_MOST_TEXTS = 2048
"""As many as OpenAI takes."""

_WITHOUT_EFFECT = frozenset({"user"})
"""Fields that shape no vector. They are taken, and change nothing."""


class EmbeddingsBody(Body):
    """The body of a request."""

    model: str | None = None
    input: Any = None
    dimensions: int | None = Field(default=None, ge=1)
    encoding_format: Literal["float", "base64"] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingQuery:
    """What a client wants embedded."""

    model: str | None
    """The name of the model; None for the first one that is served."""
    texts: Sequence[str]
    dimensions: int | None
    is_base64: bool
    """Whether the vectors are wanted in base64."""


def read_query(body: bytes) -> EmbeddingQuery:
    """The query in a body. Raises HttpError, which names the field."""
    found = read_body(EmbeddingsBody, body)
    for name, value in (found.model_extra or {}).items():
        if name not in _WITHOUT_EFFECT and value is not None:
            hint = did_you_mean(name, EmbeddingsBody.model_fields, before="; ")
            raise wrong_field(name, f"it is not supported here{hint}")
    is_base64 = found.encoding_format == "base64"
    return EmbeddingQuery(found.model, _texts(found.input), found.dimensions, is_base64)


def _texts(given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise wrong_field("input", "expected a text, or a list of texts")
    if len(texts) > _MOST_TEXTS:
        raise wrong_field("input", f"expected {_MOST_TEXTS:,} texts at most, not {len(texts):,}")
    for number, text in enumerate(texts):
        if isinstance(text, int | list):
            raise wrong_field("input", "token ids are not supported here: send the text")
        if not isinstance(text, str) or not text:
            raise wrong_field(f"input.{number}", "expected a text that is not empty")
    return texts
