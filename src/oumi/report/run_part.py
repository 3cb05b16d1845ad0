"""One run in the page: its figures over all rows, and the rows that the file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO
from zlib import crc32

from oumi.core.json_text import write_json
from oumi.report.agreement import answer_hash
from oumi.report.blocks import RowBlocks, write_block
from oumi.report.columns import Columns
from oumi.report.command_line import command_of
from oumi.report.figures import Figures
from oumi.report.properties import parse_answer, scalars
from oumi.report.row import ReportRow, RowStatus
from oumi.report.run_rows import RunRows
from oumi.runner.storage.run_summary import RunSummary

MOST_ROWS = 100_000
"""Rows of a run that a file holds: about 40 MB with usual answers, which a browser opens in a
second. Of more, a sample is taken."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Which rows the file holds: every failure, and of the others a share by a hash of what joins
    rows of several runs, so that all of these show the same ones.
    """

    share: float

    @classmethod
    def of(cls, total: int, most: int = MOST_ROWS) -> Sample:
        """That of a run with so many rows."""
        return cls(min(1.0, most / max(total, 1)))

    def holds(self, row: ReportRow) -> bool:
        """Whether a row is in the file."""
        if self.share >= 1 or row.status == RowStatus.FAILED:
            return True
        return crc32(row.key.encode()) < self.share * 2**32


def write_run(file: BinaryIO, number: int, rows: RunRows, most: int) -> None:
    """Write the blocks of a run, `run0-0` and so on, and then `run0`, which says what they hold."""
    name = f"run{number}"
    summary = rows.summary
    figures = Figures(None if summary is None else summary.price)
    sample, blocks, columns = Sample.of(len(rows), most), RowBlocks(file, name), Columns()
    for row in rows:
        value = parse_answer(row.answer)
        group = figures.add(row, value)
        if sample.holds(row):
            blocks.add(row.to_dict())
            values = values_of(row, value, group, figures.cost_of(row))
            values["fact"] |= {"key": row.key, "answer": answer_hash(row, value)}
            columns.add(values)
    blocks.flush()
    facts = {
        **facts_of(rows.name, summary),
        "figures": figures.to_dict(),
        "share": sample.share,
        "starts": blocks.starts,
        "rows": columns.rows,
        "columns": columns.to_dict(),
    }
    write_block(file, name, write_json(facts))


def facts_of(name: str, summary: RunSummary | None) -> dict[str, Any]:
    """What the page says of a run besides its rows."""
    return {
        "name": name,
        "summary": None if summary is None else summary.to_dict(),
        "command": None if summary is None else command_of(summary.settings, summary.engine),
    }


def values_of(
    row: ReportRow, value: Any, group: str | None, cost: float | None
) -> dict[str, dict[str, Any]]:
    """What the table shows of a row, by group and column. `value` is what `parse_answer` gave."""
    usage = row.usage
    facts = {
        "row": row.index,
        "id": row.conversation.get("conversation_id"),
        "status": row.status.value,
        "finish_reason": row.metadata.get("finish_reason"),
        "prompt_tokens": None if usage is None else usage.prompt_tokens,
        "completion_tokens": None if usage is None else usage.completion_tokens,
        "latency_s": row.record.get("latency_s") or None,  # 0 where no request was answered
        "first_token_s": row.record.get("first_token_s"),
        "waited_s": row.record.get("waited_s"),
        "cost_usd": cost,
        "answer_characters": None if row.answer is None else len(row.answer),
        "failure": group,
    }
    return {"fact": facts, "metadata": row.own_metadata, "property": dict(scalars(value))}
