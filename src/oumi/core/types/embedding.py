"""Embeddings: texts as vectors."""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from oumi.core.types.usage import Usage

Vector: TypeAlias = "array[float]"
"""Numbers of 32 bits. `numpy.asarray` makes an array of one without a copy."""

_IS_LITTLE = sys.byteorder == "little"


def new_vector(numbers: Iterable[float]) -> Vector:
    """A vector of these numbers."""
    return array("f", numbers)


def to_base64(vector: Vector) -> str:
    """The numbers as OpenAI's API sends them: little-endian, 4 bytes each, in base64."""
    return b64encode(_in_little_endian(vector)).decode()


def from_base64(text: str) -> Vector:
    """The reverse of `to_base64`. Raises ValueError."""
    vector = array("f")
    vector.frombytes(b64decode(text, validate=True))
    return _in_little_endian(vector)


def _in_little_endian(vector: Vector) -> Vector:
    if _IS_LITTLE:
        return vector
    swapped = vector[:]
    swapped.byteswap()
    return swapped


class Embeddings(NamedTuple):
    """What one request gives back: a vector for each of its texts, in their order."""

    vectors: Sequence[Vector]
    usage: Usage


class Embedding(NamedTuple):
    """The vector of one row's text."""

    vector: Vector
    usage: Usage
    """Tokens of its text: of those of its request, a share by the length of the text."""
    from_cache: bool = False
    """Whether an earlier run had it, so that it cost nothing (`InferenceConfig.cache`)."""

    @property
    def record_name(self) -> str:
        """What it is called in a record of its row."""
        return "embedding"

    @property
    def price_share(self) -> float:
        """What a token of it cost, as a share of the ordinary price."""
        return 1.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        data = {"vector": to_base64(self.vector), "usage": self.usage.to_dict()}
        return data | ({"from_cache": True} if self.from_cache else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Embedding:
        """The reverse of `to_dict`."""
        usage = Usage.from_dict(data["usage"])
        return cls(from_base64(data["vector"]), usage, data.get("from_cache", False))
