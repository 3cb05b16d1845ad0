"""The fault server does as it is told, and counts right."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from tests.fault_server import FaultServer
from tests.fault_server.plan import parse_plan


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def ask(server: FaultServer, text: str = "row-1") -> tuple[int, dict[str, str], bytes]:
    """One request over a connection of its own; status 0 when the connection broke."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    body = json.dumps({"messages": [{"role": "user", "content": text}]})
    try:
        connection.request("POST", "/v1/chat/completions", body, {"Authorization": "Bearer k"})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    except (ConnectionError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()


def test_counts_by_row(server: FaultServer) -> None:
    server.reset()
    for text in ("row-1", "row-2", "row-1", "another text"):
        assert ask(server, text)[0] == 200
    stats = server.stats()
    assert stats["rows"] == {"row-1": [2, 2], "row-2": [1, 1], "another text": [1, 1]}
    assert stats["authorizations"] == ["Bearer k"]


def test_faults_hit_their_share_and_then_stop(server: FaultServer) -> None:
    plan = {"seed": 3, "faults": [{"kind": "reset", "share": 0.3, "times": 2}]}
    server.plan(**plan)
    expected = {f"row-{i}": len(parse_plan(plan).script(f"row-{i}")) * 2 for i in range(100)}
    assert 30 < sum(expected.values()) < 90
    for row, resets in expected.items():
        assert [ask(server, row)[0] for _ in range(3)] == [0] * resets + [200] * (3 - resets)


def test_scripts(server: FaultServer) -> None:
    script = [{"kind": "cut"}, {"kind": "status", "code": 529}, {"kind": "status", "code": 404}]
    server.plan(scripts={"row-1": script})
    assert [ask(server)[0] for _ in range(4)] == [0, 529, 404, 200]
    assert ask(server, "row-2")[0] == 200
    assert server.stats()["rows"]["row-1"] == [4, 1]


def test_waits(server: FaultServer) -> None:
    fault = {"kind": "status", "code": 429, "retry_after_s": 2}
    forms = [{**fault, "retry_after": form} for form in ("seconds", "date", "ms")]
    server.plan(scripts={"row-1": forms})
    assert ask(server)[1]["retry-after"] == "2"
    wait_s = parsedate_to_datetime(ask(server)[1]["retry-after"]).timestamp() - time.time()
    assert 1 < wait_s <= 3
    assert ask(server)[1]["retry-after-ms"] == "2000"


def test_limit(server: FaultServer) -> None:
    server.plan(limit={"per_second": 1, "burst": 3, "headers": True})
    replies = [ask(server) for _ in range(6)]
    assert [status for status, _, _ in replies] == [200] * 3 + [429] * 3
    assert replies[0][1]["x-ratelimit-limit-requests"] == "60"
    assert replies[0][1]["x-ratelimit-remaining-requests"] == "2"
    assert replies[-1][1]["retry-after"] == "1"
    assert server.stats()["limited"] == 3
    while (reply := ask(server))[0] == 429:
        time.sleep(0.05)
    assert reply[0] == 200


def test_a_limit_of_a_window(server: FaultServer) -> None:
    server.plan(limit={"per_second": 1e-4, "window_s": 30_000})
    replies = [ask(server) for _ in range(6)]
    assert sorted(status for status, _, _ in replies)[:3] == [200, 200, 200]
    waits = [int(headers["retry-after"]) for status, headers, _ in replies if status == 429]
    assert waits
    assert all(0 < wait <= 30_000 for wait in waits)


def test_wrong_plans(server: FaultServer) -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        server.plan(faults=[{"kind": "explode"}])
    with pytest.raises(ValueError, match="latency"):
        server.plan(latency=5)


def test_answers_wait_until_they_are_released(server: FaultServer) -> None:
    server.plan()
    server.hold_after(1)
    assert ask(server, "row-1")[0] == 200
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, server, "row-2")
        assert server.wait_until(lambda stats: stats["requests"] == 2)["in_flight"] == 1
        server.release()
        assert waiting.result()[0] == 200
    assert server.answered() == {"row-1": 1, "row-2": 1}
