"""The files of a run: the output, and beside it the journal, the failures and `run.json`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from oumi.core.answer_type import AnswerType
from oumi.core.digest import file_digest
from oumi.core.types.answer import answer_in
from oumi.core.types.completion import Usage
from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.data.jsonl import JsonlSink
from oumi.data.sink import OpenSink, Sink
from oumi.data.source import Source
from oumi.errors import OutputExistsError, StorageError
from oumi.runner.cost import PaidTokens, Price
from oumi.runner.storage import own_files
from oumi.runner.storage.atomic import PARTIAL, atomic_file, beside, reason_of, storage_errors
from oumi.runner.storage.changed_settings import changed_settings
from oumi.runner.storage.folders import make_folder
from oumi.runner.storage.lazy import LazyConversations, LazyFailures
from oumi.runner.storage.row_store import Answers, ContractAt, any_answer
from oumi.runner.storage.run_summary import RunSummary, cost_fields
from oumi.structured.finish import finish_record

_NO_TOKENS = Usage().to_dict()
_KEPT = "All answers are in the journal"


class Output:
    """The output file of a run and its neighbours. Files appear whole or not at all."""

    def __init__(self, path: Path):
        self.path = path.resolve()
        self.journal_path = beside(self.path, ".journal")
        self.failures_path = beside(self.path, ".failures.jsonl")
        self.run_path = beside(self.path, ".run.json")
        if self.path.exists() and not self.path.is_file():
            raise OutputExistsError(f"{path}: not a regular file")
        try:
            make_folder(self.path.parent)
        except OSError as error:
            raise StorageError(f"{self.path.parent}: cannot be made: {reason_of(error)}") from error

    def check_files(self, input_paths: Iterable[Path]) -> None:
        """Raise ConfigError where the input lies where one of these files goes, and
        OutputExistsError where something lies there that no run has made. `overwrite` changes
        nothing in that: it is for the output alone.
        """
        for input_path in input_paths:
            own_files.check_input(input_path, self._paths())
        self._check_replaced_files()
        # What is in the journal is checked when it is opened.
        own_files.check_own(self.journal_path, "journal", Path.is_file)
        if self.path.exists() and own_files.is_journal(self.path):
            raise OutputExistsError(
                f"{self.path}: the journal of a run, which holds its answers. Name another "
                "output_path."
            )

    def is_finished(self, run_ids: Collection[str]) -> bool:
        """Whether this very run, by any of its ids, is done: same input, same settings, no row
        failed.
        """
        summary = RunSummary.read(self.run_path)
        if summary is None or summary.run_id not in run_ids or summary.failed:
            return False
        return self._digest() == summary.output_hash

    def check_replaceable(
        self, recorded: int, *, overwrite: bool, made_by: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Raise OutputExistsError unless the present output file is an earlier state of this run.

        That is: written by a run, not changed since, and all its answers (`recorded` of them
        are known to this run) will be in the new file. The error says what differs from the
        settings in `made_by`, which are those of `write`.
        """
        if overwrite or not self.path.exists() or self.path.stat().st_size == 0:
            return
        summary = RunSummary.read(self.run_path)
        if summary is None or not self._is_of(summary) or recorded < summary.done:
            raise OutputExistsError(
                f"{self.path}: {self._whose(summary, made_by)}. Name another output_path, or set "
                "overwrite."
            )

    def write(
        self,
        source: Source,
        answers: Answers,
        run_id: str,
        price: Price | None,
        session: Mapping[str, Any],
        contract_at: ContractAt = any_answer,
        open_sink: OpenSink = JsonlSink,
        made_by: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Write all files from the answers; `session` holds the figures of the last call,
        `open_sink` makes what writes the rows, and `made_by` is `engine` and `settings` of the
        summary.

        Raises StorageError, and OutputExistsError where others have put a file of theirs meanwhile.
        """
        self._check_replaced_files()
        with (
            atomic_file(self.path, _KEPT) as file,
            atomic_file(self.failures_path, _KEPT) as failures,
        ):
            sink = open_sink(file, failures, source)
            counts, tokens = _write_rows(sink, source, answers, contract_at)
            # Before the output takes its place: a kill in between leaves one that is known.
            RunSummary(
                run_id,
                sink.digest,
                counts["rows"],
                counts["done"],
                counts["failed"],
                tokens.total,
                source.num_samples,
                counts["from_cache"],
                replaces=self._digest(),
                **cost_fields(price, tokens),
                last_session=session,
                **made_by,
            ).write(self.run_path, _KEPT)
        if self.failures_path.stat().st_size == 0:
            self.failures_path.unlink()

    def result(self, answer_type: AnswerType | None = None) -> InferenceResult:
        """What the files hold; the answers are of `answer_type`, if of any."""
        summary = RunSummary.read(self.run_path)
        if summary is None:
            raise StorageError(f"{self.run_path}: missing or damaged")
        failures = LazyFailures(self.failures_path, summary.num_samples)
        total = summary.done + len(failures)
        rows = range(total) if not failures else [i for i in range(total) if i not in failures]
        conversations = LazyConversations(self.path, summary.done, answer_type)
        return InferenceResult(conversations, rows, failures, summary.num_samples)

    def _whose(self, summary: RunSummary | None, made_by: Mapping[str, Any]) -> str:
        """What an output file is that this run may not replace."""
        if summary is None:
            return "not written by a run"
        if not self._is_of(summary):
            return "changed since a run wrote it"
        before = {"engine": summary.engine, "settings": summary.settings}
        if changed := "; ".join(changed_settings(before, made_by)):
            return f"written by a run with other settings: {changed}"
        return (
            f"written by another run: not all of its {summary.done:,} answers are to rows of this "
            "input under these settings, or are in the journal"
        )

    def _check_replaced_files(self) -> None:
        own_files.check_own(self.failures_path, "failures", own_files.holds_failures)
        own_files.check_own(self.run_path, "run.json", _is_summary)

    def _paths(self) -> dict[str, Path]:
        """All files of a run, also those that are there only while it works."""
        kept = {
            "output": self.path,
            "journal": self.journal_path,
            "failures": self.failures_path,
            "run.json": self.run_path,
        }
        written = [self.path, self.failures_path, self.run_path]
        partial = {f"unfinished {path.name}": beside(path, PARTIAL) for path in written}
        return {**kept, **partial, "lock": beside(self.journal_path, ".lock")}

    def _is_of(self, summary: RunSummary) -> bool:
        digest = self._digest()
        return digest is not None and digest in (summary.output_hash, summary.replaces)

    def _digest(self) -> str | None:
        """The hash of the present output file, if there is one."""
        with storage_errors(self.path):
            return file_digest(self.path) if self.path.exists() else None


def _is_summary(path: Path) -> bool:
    return RunSummary.read(path) is not None


def _write_rows(
    sink: Sink, source: Source, answers: Answers, contract_at: ContractAt
) -> tuple[dict[str, int], PaidTokens]:
    """Hand each row to the sink with its answer or its failure; how many there are of each."""
    rows = done = failed = cached = 0
    tokens = PaidTokens()
    for index, (number, row) in enumerate(sink.rows(source)):
        rows += 1
        record = answers.read(index)
        failure, from_cache = record.get("failure"), False
        if (answer := answer_in(record)) is not None:
            from_cache = answer.get("from_cache", False)
            cached += from_cache
            try:
                finished = finish_record(contract_at(index), answer)
                sink.add_answer(row, finished)
            except OSError:
                raise
            except Exception as error:  # the others are written all the same
                failure = paid_failure(error, answer).to_dict()
            else:
                done += 1
                if not from_cache:
                    usage = Usage.from_dict(finished["usage"])
                    tokens.add(usage, finished.get("price_share", 1.0))
        if failure is not None:
            failed += 1
            if not from_cache:
                tokens.add(Usage.from_dict(failure.get("usage") or _NO_TOKENS))
            sink.add_failure(index, number, row, failure)
    sink.finish()
    return {"rows": rows, "done": done, "failed": failed, "from_cache": cached}, tokens


def paid_failure(error: Exception, answer: Mapping[str, Any]) -> Failure:
    """The failure of a row whose answer, as JSON values, came and has no place in the output."""
    failure = Failure.from_error(error)
    if failure.usage is not None:
        return failure
    content = answer["message"].get("content") if "message" in answer else None
    reply = content if isinstance(content, str) else None
    return replace(failure, usage=Usage.from_dict(answer["usage"]), reply=reply)
