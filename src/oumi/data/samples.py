"""Several samples of each row: the rows of a source, each of them repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic_core import from_json

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation
from oumi.data.equal_rows import EqualRows
from oumi.data.records.record import Record
from oumi.data.source import SAMPLE, Row, Source
from oumi.data.source_view import SourceView


def sampled(source: Source, config: InferenceConfig) -> Source:
    """A source of as many samples of each row as the settings ask for. Equal rows are told apart
    where they are to have answers of their own: under a seed, and in a cache.
    """
    counts = config.generation.seed is not None or config.cache is not False
    num_samples = config.generation.num_samples
    if num_samples == 1 and not counts:
        return source
    return SampledSource(source, num_samples, counts_equal_rows=counts)


class SampledSource(SourceView):
    """Each row of another source so many times, the samples of a row one after the other.

    Row `r * num_samples + s` is sample `s` of row `r`. Where there are several, the conversations
    have its number in their metadata. With `counts_equal_rows`, equal rows are numbered too. A copy
    has each row once: who reads it samples them again.
    """

    def __init__(self, source: Source, num_samples: int, *, counts_equal_rows: bool = False):
        super().__init__(source)
        self._equal_rows = EqualRows() if counts_equal_rows else None
        self.num_samples = num_samples

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on."""
        row, sample = divmod(start, self.num_samples)
        rows = self._rows_of_input(row)
        return rows if self.num_samples == 1 else islice(self._samples_of(rows), sample, None)

    def _rows_of_input(self, start: int) -> Iterator[Row]:
        if self._equal_rows is None:
            return self._source.rows(start)
        first = min(start, self._equal_rows.known)
        rows = self._equal_rows.number(self._source.rows(first))
        return islice(rows, start - first, None)

    def _samples_of(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            first = row.index * self.num_samples
            for sample in range(self.num_samples):
                asked = None
                if row.conversation is not None:
                    asked = _numbered(row.conversation, sample)
                yield row._replace(index=first + sample, conversation=asked, sample=sample)

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are."""
        rows = self._source.estimated_rows
        return None if rows is None else rows * self.num_samples

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line if it has one."""
        if self.num_samples == 1:
            yield from self._source.lines()
            return
        for number, line in self._source.lines():
            fields = _fields(line)
            for sample in range(self.num_samples):
                yield number, line if fields is None else _numbered_text(fields, sample)

    def records(self) -> Iterator[Record]:
        """The rows of the input, each so many times."""
        for record in self._source.records():
            for _ in range(self.num_samples):
                yield record

    def line_of(self, index: int) -> bytes:
        """One row as JSON text, unchecked."""
        row, sample = divmod(index, self.num_samples)
        line = self._source.line_of(row)
        fields = _fields(line) if self.num_samples > 1 else None
        return line if fields is None else _numbered_text(fields, sample)

    def generation_of(self, index: int) -> GenerationParams | None:
        """The settings of one row. Rows that are asked for in order cost one pass."""
        return self._source.generation_of(index // self.num_samples)

    def place(self, row: Row) -> str:
        """Where the row stands in the input."""
        return self._source.place(row._replace(index=row.index // self.num_samples))

    def fingerprint(self) -> str:
        """A hash of the content and of the number of samples."""
        return sampled_fingerprint(self.input_fingerprint(), self.num_samples)

    def input_fingerprint(self) -> str:
        """A hash of the content alone."""
        return self._source.fingerprint()


def sampled_fingerprint(fingerprint: str, num_samples: int) -> str:
    """The hash of a source of so many samples of each row, from that of its input."""
    if num_samples == 1:
        return fingerprint
    digest = new_digest()
    digest.update(f"{fingerprint} samples {num_samples}".encode())
    return digest.hexdigest()


def _numbered(conversation: Conversation, sample: int) -> Conversation:
    metadata = {**conversation.metadata, SAMPLE: sample}
    return conversation.model_copy(update={"metadata": metadata})


def _fields(line: bytes) -> dict[str, Any] | None:
    """The fields of a conversation; None for a row that is none."""
    try:
        fields = from_json(line)
    except ValueError:
        return None
    is_one = isinstance(fields, dict) and isinstance(fields.get("metadata") or {}, Mapping)
    return fields if is_one else None


def _numbered_text(fields: Mapping[str, Any], sample: int) -> bytes:
    metadata = {**(fields.get("metadata") or {}), SAMPLE: sample}
    return write_json({**fields, "metadata": metadata})
