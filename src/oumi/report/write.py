"""From output files or a result to the file of the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oumi.core.types.result import InferenceResult
from oumi.errors import OutputExistsError
from oumi.report.output_rows import OutputRows, open_run
from oumi.report.page_file import MARK, write_page
from oumi.report.run_part import MOST_ROWS
from oumi.report.run_rows import ResultRows, RunRows
from oumi.runner.storage.atomic import atomic_file, storage_errors
from oumi.runner.storage.lazy import LazyConversations

_KEPT = "The runs themselves are as they were"


def write_report(
    outputs: Sequence[Path], path: Path | None = None, *, most_rows: int = MOST_ROWS
) -> Path:
    """Write the report of a run, or of several side by side, and return where it is: `path`, or
    beside the first output, as `answers.report.html`.

    Of runs with more than `most_rows` rows it holds all figures, every failure, and a sample of
    the other rows. Raises InputError, OutputExistsError, StorageError.
    """
    runs = [open_run(output) for output in outputs]
    _tell_apart(runs, outputs)
    return _write(runs, path or outputs[0].with_suffix(".report.html"), most_rows)


def write_result(result: InferenceResult, path: Path) -> Path:
    """The same for what `infer_partial` or the like has returned."""
    conversations = result.conversations
    if isinstance(conversations, LazyConversations):
        return _write([OutputRows(conversations.path)], path, MOST_ROWS)
    return _write([ResultRows(result)], path, MOST_ROWS)


def _write(runs: Sequence[RunRows], path: Path, most_rows: int) -> Path:
    check_replaceable(path)
    with storage_errors(path, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, _KEPT) as file:
        write_page(file, runs, most_rows)
    return path


def _tell_apart(runs: Sequence[RunRows], outputs: Sequence[Path]) -> None:
    """Name runs by their folder as well, where files in several have one name."""
    if len({run.name for run in runs}) < len(runs):
        for run, output in zip(runs, outputs, strict=True):
            run.name = f"{output.resolve().parent.name}/{run.name}"


def check_replaceable(path: Path) -> None:
    """Raise OutputExistsError for a file that is no report."""
    if not path.exists():
        return
    with storage_errors(path):
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(MARK)) in (MARK, b""):
                    return
    raise OutputExistsError(f"{path}: not a report; name another file for it, or another folder")
