"""The files of a batch that has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from oumi.core.types.result import InferenceResult
from oumi.runner.storage.atomic import atomic_file
from oumi.server.batches.endpoints import APIS
from oumi.server.batches.folder import Folder
from oumi.server.batches.records import BatchRecord, FileRecord
from oumi.server.batches.results import answer_lines, error_lines

Results = tuple[InferenceResult, Sequence[str]]
"""The rows of a job, and the id of each."""

_KEPT = "The answers are safe in the job of the batch"


def write_files(
    record: BatchRecord, results: Sequence[Results], files: Folder[FileRecord]
) -> BatchRecord:
    """The record with its files of answers and of errors; without the one that has no lines."""
    api = APIS[record.endpoint]
    answers = (answer_lines(result, ids, record.model, api) for result, ids in results)
    errors = (error_lines(result, ids) for result, ids in results)
    has_answers = any(result.rows for result, _ in results)
    has_errors = any(result.has_failures for result, _ in results)
    return replace(
        record,
        has_ended=True,
        output_file_id=_write(record, "output", answers, files) if has_answers else None,
        error_file_id=_write(record, "error", errors, files) if has_errors else None,
    )


def _write(
    record: BatchRecord,
    kind: str,
    lines: Iterator[Iterator[bytes]],
    files: Folder[FileRecord],
) -> str:
    """A file of results, under an id that follows from the batch's: made twice, it is one."""
    file_id = f"file-{record.id.removeprefix('batch_')}-{kind}"
    files.make()
    path = files.content_path(file_id)
    with atomic_file(path, _KEPT) as file:
        for some in lines:
            file.writelines(some)
    facts = FileRecord(
        id=file_id,
        owner=record.owner,
        created_at=int(time.time()),
        filename=f"{record.id}_{kind}.jsonl",
        purpose="batch_output",
        bytes=path.stat().st_size,
    )
    files.save(facts)
    return file_id
