"""Several processes that want one output, where locks work and where there are none."""

from __future__ import annotations

from tests.campaign import oracle
from tests.campaign.calls import NO_LOCKS, wait
from tests.campaign.round import WORKERS, Round
from tests.campaign.rows import make_rows, question_of, write_rows


def contention(round_: Round) -> None:
    """One works at a time; the others end with an error, or take over once it was killed."""
    rng, server = round_.rng, round_.server
    server.plan(latency_ms=30)
    rows = make_rows(rng, rng.randrange(20, 80))
    round_.figures["rows"] += len(rows)
    write_rows(round_.source, rows)
    arguments = ["infer", "-q", *round_.api(), *round_.files]
    disk = rng.choice(["", NO_LOCKS])
    killed = 0
    for _ in range(rng.randrange(1, 4)):
        before, requests = round_.record, round_.requests()
        processes = [round_.calls.start(arguments, disk) for _ in range(rng.randrange(2, 4))]
        if rng.random() < 0.7:
            chosen, lines = rng.choice(processes), rng.randrange(1, len(rows))
            wait(chosen, 10, lambda: len(round_.record.lines) > lines)  # noqa: B023
            killed += round_.calls.signal(rng, chosen)
        for process in processes:
            round_.ends(round_.calls.end(process, disk=disk))
        oracle.check_kept(before, round_.record)
        oracle.check_not_asked(before, requests, round_.requests())
    round_.ends(round_.calls.run(arguments, disk), 0)
    oracle.check_output(round_.output, rows, {q: f"answer to {q}" for q in map(question_of, rows)})
    again = sum(server.answered().values()) - len(rows)
    oracle.check(again <= killed * WORKERS, f"{again} answers were paid for twice")
