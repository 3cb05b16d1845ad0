"""A run at an API that misbehaves."""

from __future__ import annotations

from typing import Any

from tests.campaign import oracle
from tests.campaign.calls import KEY, Ended
from tests.campaign.kinds.broken_calls import break_calls
from tests.campaign.record import Record
from tests.campaign.round import WORKERS, Round
from tests.campaign.rows import make_rows, question_of, write_rows

_ECHO = {"error": {"message": f"Bearer {KEY} is not known", "key": KEY}}
_FAULTS: list[dict[str, Any]] = [
    {"kind": "reset", "share": 0.1},
    {"kind": "cut", "share": 0.05},
    {"kind": "hang", "share": 0.01},
    {"kind": "malformed", "share": 0.05},
    {"kind": "truncated_json", "share": 0.05},
    {"kind": "wrong_type", "share": 0.05},
    {"kind": "wrong_choices", "share": 0.03, "variant": "null_message"},
    {"kind": "wrong_choices", "share": 0.03, "variant": "no_choices"},
    {"kind": "flood", "share": 0.01, "mib": 80, "compressed": True},
    {"kind": "answer", "share": 0.2, "message": {"reasoning_content": f"my key is {KEY}"}},
    {"kind": "status", "code": 400, "share": 0.05, "body": _ECHO},
    {"kind": "status", "code": 500, "share": 0.1, "body": _ECHO, "headers": {"x-key": KEY}},
    {"kind": "status", "code": 503, "share": 0.1},
    {"kind": "status", "code": 429, "share": 0.1, "retry_after_s": 0.05, "retry_after": "ms"},
    {"kind": "slow", "share": 0.05, "seconds": 0.2},
    {"kind": "close_keepalive", "share": 0.1, "seconds": 0},
]
_WENT_THROUGH = (0, 6)
_MOST_CALLS = 8  # each fault meets a row once


def remote(round_: Round) -> None:
    """Calls are broken, then repeated until no row fails but those that cannot be read."""
    rng, server = round_.rng, round_.server
    faults = rng.sample(_FAULTS, rng.randrange(2, 8))
    server.plan(latency_ms=25, seed=rng.randrange(99), faults=faults)
    is_bad_allowed = rng.random() < 0.4
    rows = make_rows(rng, rng.randrange(30, 150), with_bad=is_bad_allowed)
    arguments = ["infer", "-q", *round_.api(), *round_.files]
    arguments += ["--bad_rows", "fail"] * is_bad_allowed
    answered = 0

    def check(before: Record, ended: Ended) -> None:
        nonlocal requests, answered
        now, later, by_now = round_.record, round_.requests(), _answers(round_)
        oracle.check_kept(before, now)
        oracle.check_not_asked(before, requests, later)
        in_flight = WORKERS if ended.was_signalled or ended.code not in _WENT_THROUGH else 0
        recorded = now.answers.total() - before.answers.total()
        oracle.check_recorded(by_now - answered, recorded, in_flight)
        requests, answered = later, by_now

    requests = round_.requests()
    rows = break_calls(round_, rows, arguments, check)
    round_.figures["rows"] += len(rows)
    good = [row for row in rows if "unreadable" not in row]
    write_rows(round_.source, rows)
    for _ in range(_MOST_CALLS):
        before, ended = round_.record, round_.calls.run([*arguments, "--overwrite", "true"])
        oracle.check_call(ended, KEY)
        check(before, ended)
        if ended.code in _WENT_THROUGH and _failed(round_) == len(rows) - len(good):
            break
    oracle.check_failures(round_.folder / "out.jsonl.failures.jsonl", len(rows) - len(good))
    questions = map(question_of, good)
    oracle.check_output(round_.output, good, {q: f"answer to {q}" for q in questions})


def _answers(round_: Round) -> int:
    """How many good answers the server gave."""
    return sum(round_.server.answered().values())


def _failed(round_: Round) -> int:
    failures = round_.folder / "out.jsonl.failures.jsonl"
    return failures.read_bytes().count(b"\n") if failures.exists() else 0
