"""The files of a batch that has ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from oumi.runner.storage.atomic import atomic_file
from oumi.server.batches.endpoint import ResultLines
from oumi.server.batches.folder import Folder
from oumi.server.batches.records import BatchRecord, FileRecord

_KEPT = "The answers are safe in the job of the batch"


def write_files(
    record: BatchRecord, results: Sequence[ResultLines], files: Folder[FileRecord]
) -> BatchRecord:
    """The record with its files of answers and of errors, of all of its jobs; without the one that
    has no lines.
    """
    return replace(
        record,
        has_ended=True,
        output_file_id=_write(record, "output", [job.answers for job in results], files),
        error_file_id=_write(record, "error", [job.errors for job in results], files),
    )


def _write(
    record: BatchRecord, kind: str, jobs: Iterable[Iterable[bytes]], files: Folder[FileRecord]
) -> str | None:
    """A file of results, under an id that follows from the batch's: made twice, it is one."""
    lines: Iterator[bytes] = chain.from_iterable(jobs)
    if (first := next(lines, None)) is None:
        return None
    file_id = f"file-{record.id.removeprefix('batch_')}-{kind}"
    files.make()
    path = files.content_path(file_id)
    with atomic_file(path, _KEPT) as file:
        file.write(first)
        file.writelines(lines)
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
