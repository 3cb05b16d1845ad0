"""The files of a run: the output, and beside it the journal, the failures and `run.json`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson
from pydantic_core import from_json, to_json

from oumi.core.digest import file_digest, new_digest
from oumi.core.types.completion import InferenceResult, Usage, answer_metadata
from oumi.data.sources import Source
from oumi.errors import OutputExistsError, StorageError
from oumi.runner.cost import Price
from oumi.runner.storage.atomic import atomic_file, beside
from oumi.runner.storage.lazy import LazyConversations, LazyFailures
from oumi.structured.contract import Contract
from oumi.structured.finish import finish_record

_NO_TOKENS = Usage().to_dict()
_KEPT = "All answers are in the journal"


class Answers(Protocol):
    """What is known of each row: a journal, or something like it."""

    def read(self, row: int) -> Mapping[str, Any]:
        """Its `completion` or its `failure`; neither where there is no word of it."""
        ...


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
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.path.parent}: {error.strerror}") from error

    def is_finished(self, run_id: str) -> bool:
        """Whether this very run is done: same input, same settings, no row failed."""
        facts = self._facts()
        is_of_run = facts.get("run_id") == run_id and not facts.get("failed")
        return is_of_run and self._digest() == facts["output_hash"]

    def check_replaceable(self, recorded: int, *, overwrite: bool) -> None:
        """Raise OutputExistsError unless what stands here is an earlier state of this run.

        That is: written by a run, not changed since, and all its answers (`recorded` of them
        are known to this run) will be in the new file.
        """
        if overwrite or not self.path.exists() or self.path.stat().st_size == 0:
            return
        facts = self._facts()
        if not (self._is_own(facts) and recorded >= facts["done"]):
            raise OutputExistsError(
                f"{self.path}: holds something other than an earlier state of this run (other "
                "settings, other input, or changed since). Name another output_path, or set "
                "overwrite."
            )

    def write(
        self,
        source: Source,
        answers: Answers,
        run_id: str,
        price: Price | None,
        session: dict[str, Any],
        contract: Contract | None = None,
    ) -> None:
        """Write all files from the answers; `session` is what the last call did.

        Raises StorageError.
        """
        digest = new_digest()
        counts = {"rows": 0, "done": 0, "failed": 0}
        usage = Usage()
        with (
            atomic_file(self.path, _KEPT) as file,
            atomic_file(self.failures_path, _KEPT) as failures,
        ):
            for index, (number, text) in enumerate(source.lines()):
                counts["rows"] += 1
                record = answers.read(index)
                if "completion" in record:
                    counts["done"] += 1
                    completion = finish_record(contract, record["completion"])
                    usage += Usage.from_dict(completion["usage"])
                    line = _finished_line(text, completion)
                    digest.update(line)
                    file.write(line)
                elif "failure" in record:
                    counts["failed"] += 1
                    usage += Usage.from_dict(record["failure"].get("usage") or _NO_TOKENS)
                    failures.write(_failed_line(index, number, text, record["failure"]))
            facts = {"run_id": run_id, "output_hash": digest.hexdigest(), **counts}
            facts |= {"usage": usage.to_dict(), **_cost(price, usage), "last_session": session}
            self._write_facts(facts)
        if self.failures_path.stat().st_size == 0:
            self.failures_path.unlink()

    def result(self) -> InferenceResult:
        """What the files hold."""
        facts = self._facts()
        failures = LazyFailures(self.failures_path)
        total = facts["done"] + len(failures)
        rows = range(total) if not failures else [i for i in range(total) if i not in failures]
        return InferenceResult(LazyConversations(self.path, facts["done"]), rows, failures)

    def _write_facts(self, facts: dict[str, Any]) -> None:
        """Before the output takes its place: a kill in between leaves one that is known."""
        with atomic_file(self.run_path, _KEPT) as file:
            value = {**facts, "replaces": self._digest()}
            file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")

    def _facts(self) -> dict[str, Any]:
        try:
            facts = orjson.loads(self.run_path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def _is_own(self, facts: dict[str, Any]) -> bool:
        digest = self._digest()
        return digest is not None and digest in (facts.get("output_hash"), facts.get("replaces"))

    def _digest(self) -> str | None:
        """The hash of the output that stands here, if any does."""
        return file_digest(self.path) if self.path.exists() else None


def _cost(price: Price | None, usage: Usage) -> dict[str, Any]:
    """What all answers cost, for an engine that costs something."""
    if price is None:
        return {}
    cost = price.cost(usage)
    if cost is None:
        return {"cost_usd": None, "cost_note": f"no price is published for {price.model}"}
    return {"cost_usd": round(cost, 6)}


def _finished_line(text: bytes, completion: Mapping[str, Any]) -> bytes:
    """The row with its answer: what `Completion.join` does, without checking all of it again."""
    row = from_json(text)
    row["messages"].append(completion["message"])
    row["metadata"] = {**(row.get("metadata") or {}), **answer_metadata(completion)}
    return to_json(row) + b"\n"


def _failed_line(index: int, number: int | None, text: bytes, failure: Mapping[str, Any]) -> bytes:
    line: dict[str, Any] = {"row": index}
    if number is not None:
        line["line"] = number
    line["failure"] = failure
    with contextlib.suppress(ValueError):  # a row that is not JSON failed for that
        line["conversation"] = from_json(text)
    return to_json(line) + b"\n"
