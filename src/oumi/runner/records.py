"""Where answers of a job are recorded: in memory, or in files that a later call goes on from."""

from __future__ import annotations

import collections
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from oumi.core.configs.secrets import shown_settings
from oumi.core.logs import logger
from oumi.core.types.failure import Failure
from oumi.data.jsonl import JsonlSink
from oumi.data.source import Row, Source
from oumi.data.tables.table_sink import TableForm
from oumi.errors import RequestError
from oumi.runner.limits.budget import Spent
from oumi.runner.limits.reservation import Tokens
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.lazy import MissingAnswers
from oumi.runner.storage.memory import MemoryStore
from oumi.runner.storage.output import Output
from oumi.runner.storage.row_store import RowStore
from oumi.runner.storage.snapshot import JournalSnapshot


class MemoryRecords:
    """For a job without an output file."""

    path: Path | None = None

    def __init__(self, session: Session, source: Source):
        self._session = session
        self._source = source
        self._store = MemoryStore()
        self._contract_at = partial(session.contract_at, source)

    def finished_result(self) -> None:
        """Nothing: no call is remembered."""

    @contextmanager
    def open(self) -> Iterator[RowStore]:
        """The answers by row."""
        yield self._store

    def claim(self, first: Iterable[Row]) -> int:
        """Nothing is there to claim."""
        return 0

    def is_recorded(self, row: Row) -> bool:
        """Whether a batch job of this call has answered a row; no other call is remembered."""
        return self._store.holds(row.index)

    def spent(self) -> Spent:
        """Nothing: there were no earlier calls."""
        return Spent()

    def record_unrecorded(self, tokens: Tokens) -> None:
        """Nothing outlives the call."""


class FileRecords:
    """An output file with a journal beside it. `form` is what its table looks like; None for one of
    conversations.

    Raises ConfigError and OutputExistsError where its files would take the place of others.
    """

    def __init__(self, session: Session, source: Source, path: Path, form: TableForm | None):
        self._session = session
        self._source = source
        self._output = Output(path)
        self.path: Path | None = self._output.path
        self._output.check_files(source.paths)
        self._overwrite = session.config.overwrite
        self._contract_at = partial(session.contract_at, source)
        self._form = form
        self._journal: Journal
        self._looked_up = 0  # rows that were looked up in the journal

    def open(self) -> Journal:
        """The journal, locked for this process."""
        if not self._output.journal_path.exists():
            self._check_replaceable(0)
        self._journal = self._open_journal(self._output.journal_path)
        return self._journal

    def claim(self, first: Iterable[Row]) -> int:
        """Look rows up in the journal: all of them where an output is to be replaced, which has to
        be of this run. Raises OutputExistsError where it is another's.
        """
        is_replaced = self._output.path.exists() and not self._overwrite
        recorded = sum(map(self.is_recorded, self._source.rows() if is_replaced else first))
        self._note_address(recorded)
        self._check_replaceable(recorded)
        return recorded

    def is_recorded(self, row: Row) -> bool:
        """Whether the journal holds an answer to a row. It is looked for once."""
        if row.index < self._looked_up:
            return self._journal.holds(row.index)
        self._looked_up = row.index + 1
        return self._journal.unclaimed > 0 and self._claim_row(row)

    @contextmanager
    def look(self) -> Iterator[Journal | None]:
        """The journal as it is, its answers claimed by their rows; None where there is none.
        Nothing is locked or written.
        """
        from oumi.runner.storage.journal_reader import JournalReader

        if not self._output.journal_path.exists():
            yield None
            return
        with JournalReader(self._output.journal_path) as self._journal:
            self._claim_rest()
            yield self._journal

    def spent(self) -> Spent:
        """All that the journal holds, also for rows that are no longer in the input."""
        from oumi.runner.storage.journal_reader import recorded_usage

        unrecorded = Tokens(*self._journal.notes.get("unrecorded", ()))
        usage = recorded_usage(self._journal.path)
        return Spent.of(usage, unrecorded, self._session.price)

    def record_unrecorded(self, tokens: Tokens) -> None:
        """Write it to the journal."""
        self._journal.append_note("unrecorded", [tokens.prompt, tokens.completion])

    def _open_journal(self, path: Path) -> Journal:
        return Journal(path)

    def _write(self, stats: RunStats) -> None:
        """Write the output and its neighbours."""
        self._output.write(
            self._source,
            self._journal,
            self._run_ids[0],
            self._session.price,
            stats.to_dict(),
            self._contract_at,
            JsonlSink if self._form is None else self._form.open,
            self._made_by,
        )

    def _may_be_finished(self) -> bool:
        """Whether it is worth a look if the output is that of this very run."""
        # The ids are made of the whole input, which a new run has no need to read before it asks.
        # Rows in memory are gone through, so that one without a form in JSON is known as such.
        return self._source.in_memory or self._output.run_path.exists()

    def _missing_answers(self, what: str) -> MissingAnswers | None:
        """Those of a finished table whose journal was removed; None for any other."""
        if self._output.journal_path.exists() or not self._is_finished():
            return None
        return MissingAnswers(self._output.path, sum(1 for _ in self._source.records()), what)

    def _snapshot(self, missing: Failure, failed: Container[int] = ()) -> JournalSnapshot:
        """What is recorded of each row; `missing` is why one has nothing, `failed` are rows whose
        answer had no place in the output.
        """
        total = sum(1 for _ in self._source.records())
        places = (place for place in self._journal.places(total) if place[0] not in failed)
        path = self._output.journal_path
        return JournalSnapshot(path, total, missing, self._contract_at, places)

    def _claim_rest(self) -> None:
        """Look up the rows that were not come to."""
        if self._journal.unclaimed:
            collections.deque(map(self.is_recorded, self._source.rows()), maxlen=0)

    @cached_property
    def _run_ids(self) -> tuple[str, str]:
        """The id of this run, and the one that version 0.1 gave it."""
        fingerprint = self._source.fingerprint()
        if self._form is not None:  # the same answers in another form are another file
            fingerprint += self._form.name
        keys = (self._session.keys.settings_key, self._session.job_keys.settings_key)
        return f"{keys[0]}-{fingerprint}", f"{keys[1]}-{fingerprint}"

    @property
    def _made_by(self) -> dict[str, Any]:
        config = self._session.config
        return {"engine": self._session.name, "settings": shown_settings(config)}

    def _check_replaceable(self, recorded: int) -> None:
        self._output.check_replaceable(recorded, overwrite=self._overwrite, made_by=self._made_by)

    def _is_finished(self) -> bool:
        return self._output.is_finished(self._run_ids)

    def _claim_row(self, row: Row) -> bool:
        if row.conversation is None:
            return False
        try:
            session = self._session.for_row(row)
        except RequestError:  # settings of the row that the engine cannot honour
            return False
        journal, contract = self._journal, session.contract
        return journal.claim_valid(
            row.index, session.keys.row_key(row), contract
        ) or journal.claim_valid(row.index, session.job_keys.row_key(row), contract)

    def _note_address(self, recorded: int) -> None:
        """Record where answers come from, and say so where those of earlier calls come from
        elsewhere.
        """
        address, earlier = self._session.url, self._journal.notes.get("address")
        if address is None or address == earlier:
            return
        if recorded and earlier is not None:
            logger.warning(
                "%d recorded answers came from %s, the others are asked at %s: taken to be the "
                "same model, as it has the same name",
                recorded,
                earlier,
                address,
            )
        self._journal.append_note("address", address)
