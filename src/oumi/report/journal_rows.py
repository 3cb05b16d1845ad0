"""What a journal says of rows, beside an output or before there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oumi.core.types.completion import Completion
from oumi.core.types.failure import Failure
from oumi.report.problems import Problems
from oumi.report.row import ReportRow, text_of
from oumi.report.run_rows import RunRows
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal_lines import read_places
from oumi.runner.storage.run_summary import RunSummary
from oumi.runner.storage.snapshot import JournalSnapshot
from oumi.structured.outcome import total_usage

_MISSING = Failure("NotAsked", "this row had no answer yet when the report was made", attempts=0)

_OF_RECORD = ("earlier", "price_share")
"""What a record says of an answer that is no metadata of its conversation."""
_FACTS = ("latency_s", "first_token_s", "waited_s", "recorded_at")


class RowFacts:
    """When the rows of an output were answered, how long it took, and their earlier answers."""

    def __init__(self, journal: Path, summary: RunSummary | None):
        total = None if summary is None else summary.rows  # which saves a pass
        self._problems = Problems({} if summary is None else summary.settings)
        self._total = _rows_in(journal) if total is None else total
        self._journal = JournalSnapshot(journal, self._total, _MISSING)

    def of(self, row: ReportRow) -> Mapping[str, Any]:
        """Nothing where the journal holds another answer under the row's number, as after an input
        that was reordered.
        """
        record = self._journal.read(row.index) if row.index < self._total else {}
        completion = record.get("completion")
        if row.failure is not None:
            return record_facts(record) if completion is None else {}
        if completion is None or not _is_same(row, completion):
            return {}
        facts = record_facts(record)
        if "price_share" in completion:
            facts["price_share"] = completion["price_share"]
        if "earlier" in completion:
            facts["earlier"] = self._problems.earlier(completion)
        return facts


class JournalRows(RunRows):
    """What the journal of a run without an output holds so far: answers without their questions,
    which stand in the input alone.
    """

    def __init__(self, output: Path):
        self.name = f"{output.name} (unfinished)"
        self._path = beside(output, ".journal")
        self._count = _rows_in(self._path)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ReportRow]:
        journal = JournalSnapshot(self._path, self._count, _MISSING)
        for index in range(self._count):
            yield row_of_record(index, journal.read(index))


def row_of_record(index: int, record: Mapping[str, Any]) -> ReportRow:
    """The row of a record: its answer without the question, or why there is none."""
    completion = record.get("completion")
    if completion is None:
        failure = record["failure"] if "key" in record else None  # not asked yet
        return ReportRow(index, {}, failure, record_facts(record))
    kept = {name: completion[name] for name in _OF_RECORD if name in completion}
    facts = {k: v for k, v in completion.items() if k not in ("message", *_OF_RECORD)}
    conversation = {"messages": [completion["message"]], "metadata": facts}
    return ReportRow(index, conversation, None, record_facts(record) | kept)


def _rows_in(journal: Path) -> int:
    return 1 + max((row for row, _, _ in read_places(journal)), default=-1)


def _is_same(row: ReportRow, completion: Mapping[str, Any]) -> bool:
    recorded = text_of(completion["message"])
    if recorded in (row.answer, row.metadata.get("raw_content")):
        return True
    # An answer that was taken out of a text, or repaired, differs from what was recorded.
    if "structured" not in row.metadata:
        return False
    return row.usage == total_usage(Completion.from_dict(completion))


def record_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says besides the answer."""
    return {name: record[name] for name in _FACTS if name in record}
