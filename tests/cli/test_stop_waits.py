"""A stop in the midst of a wait, and what is said of a wait. Each of them would take minutes."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oumi.errors import UnavailableError
from tests.cli.conftest import start
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.outages import expected, make, rows

SLOW = ("--remote_params.retry_backoff_base=300", "--remote_params.retry_backoff_max=300")
LIMIT_S = 10.0
"""Far below any of the waits, and far above what a stop takes, also on a busy machine."""

DAILY = {"error": {"message": "Daily limit reached, resets at midnight"}}


@contextmanager
def running(server: FaultServer, folder: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    """`oumi infer` of 40 rows with two workers."""
    lines = "".join(ask(f"row-{i}").to_json() + "\n" for i in range(40))
    (folder / "in.jsonl").write_text(lines)
    named = {"input_path": "in.jsonl", "output_path": "out.jsonl", "engine": "REMOTE"}
    remote = {"api_url": server.api_url, "api_key": "k", "num_workers": "2"}
    settings = {**named, "model.model_name": "m"}
    settings |= {f"remote_params.{name}": value for name, value in remote.items()}
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    run = start("infer", *options, *args, cwd=folder)
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def read_until(run: subprocess.Popen[str], pattern: str) -> str:
    """The first line of standard error that has the pattern."""
    assert run.stderr is not None
    return next(line for line in run.stderr if re.search(pattern, line))


def stop(run: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    """End a run by a signal, in time. Returns what it said."""
    run.send_signal(number)
    _, said = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 128 + number, said
    return said


def status(code: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "status", "code": code, "times": None, **fields}


def test_a_pause_is_announced_and_a_stop_ends_it(server: FaultServer, tmp_path: Path):
    server.plan(scripts={"row-5": [status(429, retry_after_s=600, body=DAILY)]})
    with running(server, tmp_path) as run:
        line = read_until(run, "waiting until")
        until = datetime.now() + timedelta(seconds=600)
        times = [f"{until - timedelta(minutes=late):%H:%M}" for late in (0, 1)]
        found = re.search(
            r"waiting until (?:\S+ )?(\d\d:\d\d): REMOTE answered 429: Daily limit", line
        )
        assert found is not None
        assert found[1] in times
        said = stop(run)
    recorded = (tmp_path / "out.jsonl.journal").read_bytes().count(b'"completion"')
    assert f"{recorded} of 40 rows are done and kept in out.jsonl.journal" in said
    assert recorded >= 4
    server.plan()
    with running(server, tmp_path) as again:
        _, said = again.communicate(timeout=60)
    assert f"{40 - recorded} done, 0 failed, {recorded} answered before" in said
    assert server.stats()["requests"] == 40 - recorded


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("fault", "option"),
    [
        (None, ("--remote_params.requests_per_minute", "1")),
        (None, ("--remote_params.politeness_policy", "300")),
        (status(500), SLOW),
        (status(503), SLOW),
        (status(429, retry_after_s=50), ()),
    ],
    ids=["rate", "politeness", "backoff", "busy", "pause"],
)
def test_a_stop_ends_every_wait(
    server: FaultServer, tmp_path: Path, number: int, fault: dict[str, Any] | None, option: Any
):
    server.plan(faults=[fault] if fault else [])
    with running(server, tmp_path, *option) as run:
        server.wait_until(lambda stats: stats["requests"] >= 1 and stats["in_flight"] == 0)
        stop(run, number)


def test_a_stop_ends_the_wait_for_a_server_that_is_away(tmp_path: Path):
    with FaultServer(latency_ms=20) as server:
        with running(server, tmp_path, *SLOW) as run:
            server.wait_until(lambda stats: stats["by_status"].get("200", 0) >= 10)
            server.go_away()
            line = read_until(run, "waiting for the server")
            assert server.url.removeprefix("http://") in line
            said = stop(run)
        assert re.search(r"\d\d? of 40 rows are done and kept", said)


def test_a_wait_of_a_day_ends_the_run_in_the_words_of_the_server(
    server: FaultServer, tmp_path: Path
):
    server.plan(scripts={"row-5": [status(429, retry_after_s=86_400, body=DAILY)]})
    with running(server, tmp_path) as run:
        _, said = run.communicate(timeout=60)
    assert run.returncode == 4
    tomorrow = datetime.now() + timedelta(days=1)
    assert (
        f"Daily limit reached, resets at midnight. That is to wait until {tomorrow:%Y-%m-%d}"
        in said
    )
    assert "longer than remote_params.max_wait_s = 3600 allows" in said


def test_an_engine_that_is_to_wait_for_a_day_says_so_each_time(server: FaultServer):
    server.plan(faults=[status(429, retry_after_s=86_400, body=DAILY)])
    with make(server, num_workers=1) as engine:
        for _ in range(2):
            with pytest.raises(UnavailableError, match="Daily limit reached"):
                engine.infer(rows(3))
        with pytest.raises(UnavailableError, match="Daily limit reached"):
            list(engine.stream(ask("row-1")))
    assert server.stats()["requests"] == 1


def test_a_good_reply_may_ask_for_a_wait_as_well(server: FaultServer):
    """The rows that wait behind it are woken as well."""
    server.plan(headers={"retry-after": "86400"})
    with (
        make(server, num_workers=1) as engine,
        pytest.raises(UnavailableError, match=r"asks to wait.*max_wait_s = 3600"),
    ):
        engine.infer(rows(3))
    assert server.stats()["requests"] == 1


def test_a_call_that_is_cancelled_in_a_wait_leaves_nothing_behind(server: FaultServer):
    server.plan(scripts={"row-0": [{"kind": "status", "code": 500, "times": 1}]})

    async def main() -> None:
        async with asyncio.timeout(1):
            await engine.ainfer(rows(1))

    with make(server, retry_backoff_base=300, retry_backoff_max=300) as engine:
        with pytest.raises(TimeoutError):
            asyncio.run(main())
        assert answers(engine.infer(rows(1))) == expected(1)
        assert engine.session().limiter.in_flight == 0
