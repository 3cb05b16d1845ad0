"""Servers that go away and come back, or never do; servers with too much to do."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from oumi.backends.remote.http.replicas import Replicas
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.errors import UnavailableError
from oumi.runner.events import Event, Resumed, RowDone, RowRetried, Waiting
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.outages import BackgroundRun, expected, make, rows

BUSY = [429, 503, 529]


def status(code: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "status", "code": code, "times": None, **fields}


@pytest.fixture
def mortal() -> Iterator[FaultServer]:
    """A server of the test's own, which it may end."""
    with FaultServer(latency_ms=5) as server:
        yield server


@pytest.fixture
def dead_url() -> Iterator[str]:
    """An address at which nothing listens: the port is taken, so nobody else begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def test_an_outage_costs_no_row_and_no_try(mortal: FaultServer):
    with (
        make(mortal, num_workers=8, max_retries=1) as engine,
        BackgroundRun(engine, rows(300)) as run,
    ):
        run.wait_for(RowDone, 20)
        mortal.go_away()
        waiting = run.wait_for(Waiting)
        run.wait_for(RowRetried, 30)
        mortal.come_back()
        assert answers(run.result()) == expected(300)
    assert waiting.is_outage
    assert waiting.reason.startswith(mortal.url.removeprefix("http://"))
    assert any(isinstance(event, Resumed) for event in run.events)


def test_thousands_in_flight_do_not_hammer_a_server_that_is_away(mortal: FaultServer):
    fields = {"num_workers": 2000, "use_adaptive_concurrency": False, "retry_backoff_base": 0.2}
    with ExitStack() as stack:
        engine = stack.enter_context(make(mortal, max_outage_s=600, **fields))
        engine.infer(rows(1))
        mortal.plan(latency_ms=600_000)
        run = stack.enter_context(BackgroundRun(engine, rows(3000)))
        mortal.wait_until(lambda stats: stats["in_flight"] == 2000)
        mortal.go_away()
        run.wait_for(RowRetried, 2000)  # each that was in flight has failed
        starts, tries = run.starts, len(run.events)
        run.wait_until(lambda: sum(isinstance(e, RowRetried) for e in run.events[tries:]) >= 5)
        assert run.starts - starts < 50, "one at a time"
        mortal.come_back()
        assert answers(run.result()) == expected(3000)


def test_a_server_that_stays_away_ends_the_run_and_a_rerun_goes_on(
    mortal: FaultServer, write_jsonl: Callable[..., Path], tmp_path: Path
):
    config = InferenceConfig(
        input_path=str(write_jsonl(rows(300))), output_path=str(tmp_path / "out.jsonl")
    )
    with (
        make(mortal, num_workers=8, max_outage_s=0.5) as engine,
        BackgroundRun(engine, None, config) as run,
    ):
        run.wait_for(RowDone, 20)
        mortal.go_away()
        host = mortal.url.removeprefix("http://")
        with pytest.raises(UnavailableError, match=rf"no answer from {host} for 0.5 s"):
            run.result()
        done = sum(isinstance(event, RowDone) for event in run.events)
        mortal.come_back()
        assert answers(engine.infer(None, config)) == expected(300)
        assert mortal.stats()["requests"] == 300 - done


@pytest.mark.parametrize("workers", [1, 32])
def test_the_first_request_has_its_own_tries_only(dead_url: str, workers: int):
    host = dead_url.removeprefix("http://").removesuffix("/v1")
    with make(dead_url, num_workers=workers, max_retries=2) as engine:
        for _ in range(2):  # the engine has not lost its mind
            with BackgroundRun(engine, rows(200)) as run:
                with pytest.raises(UnavailableError, match=f"{host} in 3 tries.*cannot connect"):
                    run.result()
                assert not any(isinstance(event, RowDone) for event in run.events)
        assert run.starts < 2 * (16 + 1 + 2), "of the rows begun at once, and two probes"


def test_no_such_host_is_a_server_that_is_away():
    with (
        make("http://no-such-host.invalid/v1", max_retries=1) as engine,
        pytest.raises(UnavailableError, match=r"no-such-host\.invalid in 2 tries"),
    ):
        engine.infer(rows(20))


def test_a_proxy_that_is_away(server: FaultServer, dead_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", dead_url.removesuffix("/v1"))
    with (
        make("http://example.test/v1", max_retries=1) as engine,
        pytest.raises(UnavailableError, match="cannot connect to it through the proxy"),
    ):
        engine.infer(rows(20))


@pytest.mark.parametrize(
    "fault", [{"kind": "reset", "times": None}, status(500), status(502)], ids=lambda f: str(f)
)
def test_what_breaks_every_row_alike_is_an_outage(server: FaultServer, fault: dict[str, Any]):
    server.plan(latency_ms=5)
    with (
        make(server, num_workers=8, max_retries=3) as engine,
        BackgroundRun(engine, rows(300)) as run,
    ):
        run.wait_for(RowDone, 20)
        server.plan(faults=[fault])
        run.wait_for(Waiting)
        server.wait_until(lambda stats: stats["requests"] > 20)
        server.plan()
        assert answers(run.result()) == expected(300)


@pytest.mark.parametrize("fault", [{"kind": "reset", "times": None}, status(500)], ids=str)
def test_a_row_that_breaks_by_itself_fails_alone(server: FaultServer, fault: dict[str, Any]):
    server.plan(scripts={"row-20": [fault]})
    with make(server, max_retries=2) as engine:
        result = engine.infer_partial(rows(60))
    assert result.failed_indices == [20]
    assert result.failures[20].attempts == 3
    assert server.stats()["requests"] == 59 + 3


def test_where_many_rows_break_at_times_each_has_twice_as_many_tries(server: FaultServer):
    """Of thousands of rows, some break four times in a row by chance."""
    server.plan(faults=[{**status(500), "share": 0.1, "times": 5}])
    with make(server, max_retries=3) as engine:
        assert answers(engine.infer(rows(100))) == expected(100)


def test_what_breaks_the_first_rows_alike_ends_the_run(server: FaultServer):
    server.plan(faults=[status(500)])
    with (
        make(server, num_workers=4, max_retries=1) as engine,
        pytest.raises(UnavailableError, match=r"no answer from 127.*in 2 tries.*500") as caught,
    ):
        engine.infer(rows(500))
    assert (caught.value.status, caught.value.exit_code) == (500, 4)
    assert server.stats()["requests"] < 60


@pytest.mark.parametrize("code", BUSY)
def test_too_much_to_do_uses_up_no_tries(server: FaultServer, code: int):
    server.plan(faults=[{"kind": "status", "code": code, "times": 3}])
    with make(server, max_retries=1) as engine:
        assert answers(engine.infer(rows(20))) == expected(20)
    assert server.stats()["requests"] == 20 * 4


def test_without_retries_a_refusal_is_final(server: FaultServer):
    server.plan(faults=[status(429)])
    with make(server, max_retries=0) as engine:
        assert engine.infer_partial(rows(1)).failures[0].attempts == 1


def test_a_row_that_is_refused_all_the_time_fails_alone(server: FaultServer):
    server.plan(scripts={"row-3": [status(429)]})
    with make(server, max_outage_s=0.5, max_retries=1) as engine:
        result = engine.infer_partial(rows(20))
    assert result.failed_indices == [3]
    assert result.failures[3].status_code == 429
    assert result.failures[3].attempts > 2


def test_a_server_that_refuses_everything_ends_the_run(server: FaultServer):
    server.plan(faults=[status(503, body={"error": {"message": "Loading the model"}})])
    with (
        make(server, max_outage_s=0.5) as engine,
        pytest.raises(UnavailableError, match=r"no answer from 127.*0\.5 s.*Loading the model"),
    ):
        engine.infer(rows(100))


@pytest.mark.parametrize("max_new_tokens", [16, 100_000], ids=["whole", "streamed"])
def test_a_replica_that_is_away_costs_no_try(
    server: FaultServer, dead_url: str, max_new_tokens: int
):
    server.plan()
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=max_new_tokens))
    retries: list[Event] = []
    with make([dead_url, server.api_url], max_retries=0) as engine:
        result = engine.infer(rows(50), config, on_event=retries.append)
    assert answers(result) == expected(50)
    assert not any(isinstance(event, RowRetried) for event in retries)


def test_a_replica_may_fail_for_hours():
    replicas = Replicas(("a",), clock=lambda: 0.0)
    for _ in range(3000):
        with replicas.pick() as replica:
            replica.note_status(500)
    assert replica.rests_until_s == 60


def test_a_stream_says_at_once_that_nothing_is_there(dead_url: str):
    with make(dead_url) as engine:
        for _ in range(3):
            with pytest.raises(UnavailableError, match="cannot connect"):
                list(engine.stream(ask("row-1")))
