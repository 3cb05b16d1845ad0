"""A batch job at an API: submitted once, collected whole, and submitted again where rows failed."""

from __future__ import annotations

from typing import Any

from tests.campaign import oracle
from tests.campaign.calls import NO_LOCKS, random_disk, wait
from tests.campaign.round import Round
from tests.campaign.rows import Row, make_rows, question_of, write_rows

_QUIRKS: list[dict[str, Any]] = [
    {},
    {"lose": {"POST batches": 1}},
    {"lose": {"POST files": 1}},
    {"lose": {"GET files/content": 1}},
    {"short": 1},
    {"content_lag": 2},
    {"output_lag": 2},
    {"no_last_newline": True},
    {"null_counts": True},
]
_GOOD = {"states": ["in_progress", "completed"]}
_MOST_CALLS = 6


def api_batch(round_: Round) -> None:
    """Its log is the server's: how often each row was taken into a batch."""
    rng, server = round_.rng, round_.server
    rows = make_rows(rng, rng.randrange(5, 60))
    round_.figures["rows"] += len(rows)
    quirk, end = rng.choice(_QUIRKS), rng.choice([_GOOD, _GOOD, _fail(rows), _expire(rows)])
    server.plan(batch={**end, **quirk, "hold": True})  # what has expired is submitted anew
    write_rows(round_.source, rows)
    submit = ["batch", "submit", *round_.api(), "--input_path", str(round_.source)]
    _break(round_, submit)
    batch_id = _repeat(round_, submit, 0).split()[-1]
    server.move_batch(plan={"hold": False})
    waiting = ["batch", "wait", batch_id, "-q", "--every", "0.1"]
    results = ["batch", "results", batch_id, "--output_path", str(round_.output)]
    _break(round_, waiting)
    round_.call(waiting, 0 if end is _GOOD or "rows" in end else 6)
    _break(round_, results)
    _repeat(round_, results, 0 if end is _GOOD else 6)
    if end is not _GOOD:
        server.move_batch(plan={**_GOOD, "rows": {}, "done": None})
        _break(round_, ["batch", "resubmit", batch_id])
        _repeat(round_, ["batch", "resubmit", batch_id], 0)
        _repeat(round_, waiting, 0)
        _repeat(round_, results, 0)
    oracle.check_output(round_.output, rows, {q: f"answer to {q}" for q in map(question_of, rows)})
    _check_batches(round_, rows, end)


def _fail(rows: list[Row]) -> dict[str, Any]:
    """An end at which each third row has failed."""
    return {**_GOOD, "rows": dict.fromkeys(map(question_of, rows[::3]), 500)}


def _expire(rows: list[Row]) -> dict[str, Any]:
    """An end at which the time was over after half of the rows."""
    return {"states": ["in_progress", "expired"], "done": len(rows) // 2}


def _break(round_: Round, arguments: list[str]) -> None:
    """Calls that are ended, or whose disk fails."""
    rng = round_.rng
    for _ in range(rng.randrange(3)):
        disk = random_disk(rng) if rng.random() < 0.3 else ""
        process = round_.calls.start(arguments, disk)
        was_signalled = False
        if rng.random() < 0.7:
            wait(process, rng.uniform(0.2, 1.5), lambda: False)
            was_signalled = round_.calls.signal(rng, process)
        round_.ends(round_.calls.end(process, was_signalled=was_signalled, disk=disk))


def _repeat(round_: Round, arguments: list[str], code: int) -> str:
    """A call, repeated while its provider is not ready, on disks with locks and without."""
    for _ in range(_MOST_CALLS):
        ended = round_.calls.run(arguments, round_.rng.choice(["", "", NO_LOCKS]))
        printed = round_.ends(ended)
        if ended.code != 4 and (ended.code == code or code == 0):
            break
    round_.ends(ended, code)
    return printed


def _check_batches(round_: Round, rows: list[Row], end: dict[str, Any]) -> None:
    """Each row was taken once, and those that failed once more."""
    failed = set(end.get("rows", ())) | {
        question_of(row) for row in rows[end.get("done", len(rows)) :]
    }
    expected = {question_of(row): 1 + (question_of(row) in failed) for row in rows}
    told = round_.server.batches()
    oracle.check(told["rows"] == expected, f"rows were taken into batches: {told['rows']}")
    count = 1 if end is _GOOD else 2
    oracle.check(len(told["batches"]) == count, f"{len(told['batches'])} batches, not {count}")
