"""Where the rows of a part end up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oumi.core.configs.part import Part
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.data.tables.parser import Parser
from oumi.runner.destination import FileDestination
from oumi.runner.parts.attempts import JOURNAL, copy_records
from oumi.runner.parts.opening import open_attempts
from oumi.runner.parts.scratch import Scratch
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal import Journal


@contextmanager
def recorded_of_part(session: Session, source: Source, part: Part) -> Iterator[Journal | None]:
    """The answers that all attempts at a part have recorded, claimed by their rows. Nothing is
    written beside them.
    """
    path = str(session.config.output_path)
    scratch = Scratch()
    output = scratch.path / Path(path).name
    copy_records(open_attempts(path).journals(part), beside(output, JOURNAL))
    with FileDestination(session, source, output).look() as journal:
        yield journal


class PartDestination(FileDestination):
    """An attempt at a part of the output that the settings name."""

    def __init__(self, session: Session, source: Source, part: Part, parser: Parser | None = None):
        self._attempts = open_attempts(str(session.config.output_path))
        super().__init__(session, source, self._attempts.attempt_path(part), parser)

    def finish(self, stats: RunStats) -> InferenceResult:
        """Write the output of the attempt and its neighbours."""
        return self._attempts.held(super().finish(stats))

    def _open_journal(self, path: Path) -> Journal:
        return self._attempts.open_journal(path)
