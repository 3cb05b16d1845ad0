"""Parts become one output: byte for byte that of one run over the whole input."""

from __future__ import annotations

from pathlib import Path

from oumi.core.configs.part import Part
from oumi.core.types.result import InferenceResult
from oumi.data.check import check_rows
from oumi.data.opening import open_source
from oumi.data.part_source import count_rows
from oumi.data.source import Source
from oumi.errors import ConfigError, InputError
from oumi.runner.destination import FileDestination
from oumi.runner.parts.attempts import (
    JOURNAL,
    copy_records,
    journals,
    part_folder,
    parts_folder,
    parts_of,
)
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal import Journal

_MOST_NAMED = 20  # parts in an error


def merge_parts(session: Session) -> InferenceResult:
    """Write the output of a run whose parts are done. Nothing is asked.

    Raises InputError, which names the parts that lack rows, and what is wrong with input and disk.
    """
    config = session.config
    if config.output_path is None or config.input_path is None:
        raise ConfigError("merge: set input_path and output_path, as the parts had them")
    output = Path(config.output_path).resolve()
    source = open_source(None, config)
    parts = _parts(output)
    destination = FileDestination(session, source, output)
    done = destination.finished_result()
    if done is not None:
        return done
    total = count_rows(source)
    _collect(output, parts, total)
    check_rows(source, bad_rows_fail=True)
    with destination.open() as journal:
        destination.claim(source.rows())
        _check_whole(source, journal, parts, total)
        return destination.finish(RunStats())


def _parts(output: Path) -> list[Part]:
    """The parts that there have to be. Raises InputError."""
    found = parts_of(output)
    counts = sorted({part.count for part in found})
    if len(counts) != 1:
        what = "no parts" if not counts else f"parts of {' and of '.join(map(str, counts))}"
        raise InputError(f"{parts_folder(output)}: {what}; expected all parts of one number")
    return [Part(number, counts[0]) for number in range(1, counts[0] + 1)]


def _collect(output: Path, parts: list[Part], total: int) -> None:
    """Write the journal of the whole from those of the parts, and from one that is there."""
    target = beside(output, JOURNAL)
    sources = [target] if target.exists() else []
    shifts = [0] * len(sources)
    for part in parts:
        found = journals(part_folder(output, part))
        sources += found
        shifts += [part.rows(total).start] * len(found)
    copy_records(sources, target, shifts)


def _check_whole(source: Source, journal: Journal, parts: list[Part], total: int) -> None:
    """Raise InputError unless each row has an answer or a reason why it has none."""
    missing = [
        row for row in range(total) if not journal.holds(row) and not journal.claim_failure(row)
    ]
    if not missing:
        return
    lacking = [str(part) for part in parts if any(row in part.rows(total) for row in missing)]
    more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
    raise InputError(
        f"{source.name}: {len(missing):,} of {total:,} rows have no answer yet; run these parts "
        f"again: {', '.join(lacking[:_MOST_NAMED])}{more}"
    )
