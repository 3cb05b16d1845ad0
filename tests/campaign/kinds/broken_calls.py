"""Calls of a run that are ended, on disks that fail, while inputs and journals change."""

from __future__ import annotations

from collections.abc import Callable

from tests.campaign import oracle
from tests.campaign.calls import KEY, Ended, random_disk, wait
from tests.campaign.damage import change_input, damage_journal
from tests.campaign.record import Record
from tests.campaign.round import Round
from tests.campaign.rows import MakeRows, Row, make_rows, write_rows

After = Callable[[Record, Ended], None]


def break_calls(
    round_: Round, rows: list[Row], arguments: list[str], after: After, make: MakeRows = make_rows
) -> list[Row]:
    """Returns the rows of the last input. `after` is told what the journal held before each call,
    and how that ended. `make` makes rows that are added.
    """
    rng = round_.rng
    write_rows(round_.source, rows)
    for _ in range(rng.randrange(1, 5)):
        before = round_.record
        ended, rows = _call(round_, rows, arguments, make)
        oracle.check_call(ended, KEY)
        after(before, ended)
        if rng.random() < 0.3:
            round_.figures[damage_journal(rng, round_.journal)] += 1
        if rng.random() < 0.2:
            round_.output.unlink(missing_ok=True)
    return rows


def _call(
    round_: Round, rows: list[Row], arguments: list[str], make: MakeRows
) -> tuple[Ended, list[Row]]:
    """One call, how it ended, and the rows of the input by then."""
    rng = round_.rng
    disk = random_disk(rng) if rng.random() < 0.25 else ""
    process = round_.calls.start(arguments, disk)
    changes_at, ends_at = sorted(rng.randrange(len(rows) + 1) for _ in range(2))
    start = len(round_.record.lines)
    if rng.random() < 0.4:
        wait(process, 10, lambda: len(round_.record.lines) >= start + changes_at)
        rows = change_input(rng, round_.source, rows, make)
        round_.figures["inputs changed in a call"] += process.poll() is None
    was_signalled = False
    if rng.random() < 0.8:
        wait(process, rng.uniform(0.2, 6), lambda: len(round_.record.lines) >= start + ends_at)
        was_signalled = round_.calls.signal(rng, process)
    return round_.calls.end(process, was_signalled=was_signalled, disk=disk), rows
