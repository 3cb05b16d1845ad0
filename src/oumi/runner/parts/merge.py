"""Parts become one output: byte for byte that of one run over the whole input."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from oumi.core.configs.part import Part
from oumi.core.types.result import InferenceResult
from oumi.core.urls import is_url
from oumi.data.check import check_rows
from oumi.data.opening import open_source
from oumi.data.part_source import count_rows
from oumi.data.source import Row, Source
from oumi.errors import ConfigError, InputError, RequestError
from oumi.runner.destination import FileDestination
from oumi.runner.parts.attempts import JOURNAL, Attempts, copy_records
from oumi.runner.parts.opening import open_attempts
from oumi.runner.request import NO_KEY
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal import Journal

_MOST_NAMED = 20  # parts in an error


def merge_parts(session: Session, parts_of: str | None = None) -> InferenceResult:
    """Write the output of a run whose parts are done. Nothing is asked. The parts are those of
    `output_path`, or of the output that `parts_of` names. Both may be URLs.

    Raises InputError, which names the parts that lack rows, and what is wrong with input and disk.
    """
    config = session.config
    if config.output_path is None or config.input_path is None:
        raise ConfigError("merge: set input_path and output_path, as the parts had them")
    merge = partial(_merge, session, open_attempts(parts_of or config.output_path))
    if not is_url(config.output_path):
        return merge(Path(config.output_path).resolve())
    from oumi.runner.parts.remote_output import RemoteOutput

    return RemoteOutput(config.output_path).write(merge)


def _merge(session: Session, attempts: Attempts, output: Path) -> InferenceResult:
    source = open_source(None, session.config)
    parts = _parts(attempts)
    destination = FileDestination(session, source, output)
    done = destination.finished_result()
    if done is not None:
        return done
    total = count_rows(source)
    _collect(attempts, beside(output, JOURNAL), parts, total)
    check_rows(source, bad_rows_fail=True)
    with destination.open() as journal:
        destination.claim(source.rows())
        _check_whole(session, source, journal, parts)
        return destination.finish(RunStats())


def _parts(attempts: Attempts) -> list[Part]:
    """The parts that there have to be. Raises InputError."""
    counts = sorted({part.count for part in attempts.parts()})
    if len(counts) != 1:
        what = "no parts" if not counts else f"parts of {' and of '.join(map(str, counts))}"
        raise InputError(f"{attempts.name}: {what}; expected all parts of one number")
    return [Part(number, counts[0]) for number in range(1, counts[0] + 1)]


def _collect(attempts: Attempts, target: Path, parts: list[Part], total: int) -> None:
    """Write the journal of the whole from those of the parts, and from one that is there."""
    sources = [target] if target.exists() else []
    shifts = [0] * len(sources)
    for part in parts:
        found = attempts.journals(part)
        sources += found
        shifts += [part.rows(total).start] * len(found)
    copy_records(sources, target, shifts)


def _check_whole(session: Session, source: Source, journal: Journal, parts: list[Part]) -> None:
    """Raise InputError unless each row has an answer or a reason why it has none."""
    total, missing = 0, []
    for row in source.rows():
        total += 1
        if not journal.holds(row.index) and not _has_failed(session, journal, row):
            missing.append(row.index)
    if not missing:
        return
    lacking = [str(part) for part in parts if any(row in part.rows(total) for row in missing)]
    more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
    raise InputError(
        f"{source.name}: {len(missing):,} of {total:,} rows have no answer yet; run these parts "
        f"again: {', '.join(lacking[:_MOST_NAMED])}{more}{_unused(journal)}"
    )


def _has_failed(session: Session, journal: Journal, row: Row) -> bool:
    """Whether this very row has failed, and not another one with its number in another input."""
    if not journal.claim_failure(row.index):
        return False
    with suppress(RequestError):  # settings that the engine cannot honour: no key
        session = session.for_row(row)
    keys = session.keys.row_key(row), session.job_keys.row_key(row)
    return journal.read(row.index)["key"] in (NO_KEY, *keys)


def _unused(journal: Journal) -> str:
    if not journal.unclaimed:
        return ""
    return (
        f". {journal.unclaimed:,} recorded answers are used for no row: some were asked twice, or "
        "the parts had another input or other settings than are given here"
    )
