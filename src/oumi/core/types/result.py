"""The outcome of a run: the answer of each row, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure, Failures, FailuresInMemory
from oumi.errors import InferenceError, OumiError

_SHOWN = 10
"""Rows that a notebook shows of each kind."""


class RowOutcomes:
    """What all results of runs have in common: rows that were answered, and rows that failed."""

    rows: Sequence[int]
    failures: Mapping[int, Failure]
    num_samples: int

    @property
    def has_failures(self) -> bool:
        """Whether any row failed."""
        return len(self.failures) > 0

    @property
    def failed_indices(self) -> list[int]:
        """The rows that failed, in input order."""
        return sorted(self.failures)

    @property
    def error_messages(self) -> dict[int, str]:
        """The error message of each failed row, by row."""
        return {row: failure.error_message for row, failure in self.failures.items()}

    def check(self) -> None:
        """Raise InferenceError, which holds this result, if any row failed."""
        if not self.has_failures:
            return
        first = self.failed_indices[0]
        raise InferenceError(
            f"{len(self.failures)} of {len(self.failures) + len(self.rows)} rows failed; "
            f"{self._place(first)}: {self.failures[first].error_message}",
            self,
        )

    def _place(self, number: int) -> str:
        row, sample = divmod(number, self.num_samples)
        return f"row {row}" if self.num_samples == 1 else f"sample {sample} of row {row}"


@dataclass(frozen=True)
class InferenceResult(RowOutcomes):
    """All rows of a run: `conversations[i]` answers row `rows[i]` of the input, counted from 0.

    With several samples a row, each is a row of its own here: `row * num_samples + sample`.

    If the answers were written to a file, each conversation is read from it when it is accessed.
    """

    conversations: Sequence[Conversation] = ()
    rows: Sequence[int] = ()
    failures: Mapping[int, Failure] = field(default_factory=dict)
    """The failed rows, by row, in input order. Each row that it iterates over has `index` and
    `error` besides."""
    num_samples: int = 1
    """How many answers each row of the input was asked for (`generation.num_samples`)."""

    def __post_init__(self) -> None:
        if not isinstance(self.failures, Failures):
            object.__setattr__(self, "failures", FailuresInMemory(self.failures))

    def __repr__(self) -> str:
        return f"InferenceResult({len(self.rows):,} done, {len(self.failures):,} failed)"

    def _repr_html_(self) -> str:
        from oumi.core.types.html_view import question_and_answer, table_html

        shown = zip(self.rows[:_SHOWN], self.conversations, strict=False)
        done = [(str(row), *question_and_answer(answer.messages)) for row, answer in shown]
        failures = islice(self.failures.items(), _SHOWN)
        failed = [(str(row), failure.error_message) for row, failure in failures]
        answers = table_html(("row", "question", "answer"), done) if done else ""
        reasons = table_html(("row", "failure"), failed) if failed else ""
        return f"<p>{self!r}</p>{answers}{reasons}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled whole: another process has not the files open from which rows are read."""
        failures = {int(row): self.failures[row] for row in self.failures}
        conversations, rows = list(self.conversations), list(self.rows)
        return InferenceResult, (conversations, rows, failures, self.num_samples)

    @property
    def successful(self) -> list[tuple[int, Conversation]]:
        """Pairs of row and finished conversation, in input order."""
        return list(zip(self.rows, self.conversations, strict=True))

    def all(self) -> Sequence[Conversation]:
        """All conversations. Raises InferenceError, which holds this result, if any row failed."""
        self.check()
        return self.conversations

    def report(self, path: str | Path = "report.html", *, opens: bool = True) -> Path:
        """Write one HTML file that shows all rows, show it in the browser, and return where it is.

        Raises OutputExistsError where another file is in its place, and StorageError.
        """
        # The page is made above this module, which looks up what it may not import.
        write = import_module("oumi.report.write").write_result
        written: Path = write(self, Path(path))
        if opens:
            import webbrowser

            webbrowser.open(written.resolve().as_uri())
        return written


def is_fatal(error: BaseException) -> bool:
    """Whether no other row of the run can succeed after this error."""
    return not isinstance(error, Exception) or (isinstance(error, OumiError) and error.ends_run)
