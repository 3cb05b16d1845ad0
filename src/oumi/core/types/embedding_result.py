"""The outcome of an embedding run: the vector of each row, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from oumi.core.types.embedding import Vector
from oumi.core.types.failure import Failure, Failures, FailuresInMemory
from oumi.core.types.result import RowOutcomes
from oumi.core.types.usage import Usage


@dataclass(frozen=True)
class EmbeddingResult(RowOutcomes):
    """All rows: `vectors[i]` is that of row `rows[i]` of the input, counted from 0.

    If the vectors were written to a file, each is read from its journal when it is accessed.
    """

    model: str = ""
    vectors: Sequence[Vector] = ()
    """Numbers of 32 bits, each vector as an `array.array`."""
    rows: Sequence[int] = ()
    failures: Mapping[int, Failure] = field(default_factory=dict)
    """The failed rows, by row, in input order."""
    usage: Usage = field(default_factory=Usage)
    """Tokens of all texts that have a vector, those of earlier calls of the run included."""
    num_samples: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.failures, Failures):
            object.__setattr__(self, "failures", FailuresInMemory(self.failures))

    def __repr__(self) -> str:
        return f"EmbeddingResult({len(self.rows):,} done, {len(self.failures):,} failed)"
