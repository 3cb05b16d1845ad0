"""The HTTP transport against real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
import trustme

from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.transport import Transport, open_transport
from oumi.backends.remote.http.transport_errors import TransportError
from oumi.errors import ConfigError
from oumi.runner import loop
from tests.fault_server import FaultServer
from tests.fault_server.proxy import Proxy

KEY = "sk-secret-of-the-test"


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def opened() -> Iterator[Transport]:
    transport = open_transport()
    yield transport
    loop.call(transport.close())


@pytest.fixture
def transport() -> Iterator[Transport]:
    with opened() as transport:
        yield transport


def make_call(
    server: FaultServer, row: int = 1, *, timeout_s: float = 5, stream: bool = False
) -> Call:
    messages = [{"role": "user", "content": f"row-{row}"}]
    body = orjson.dumps({"model": "m", "messages": messages, "stream": stream})
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    return Call("POST", f"{server.api_url}/chat/completions", headers, body, timeout_s)


async def read_stream(transport: Transport, call: Call) -> tuple[Head, list[bytes]]:
    parts = [part async for part in transport.stream(call)]
    assert isinstance(parts[0], Head)
    return parts[0], parts[1:]


def send(transport: Transport, call: Call) -> Reply:
    return loop.call(transport.send(call))


def stream(transport: Transport, call: Call) -> tuple[Head, list[bytes]]:
    return loop.call(read_stream(transport, call))


def text(reply: Reply) -> str:
    return orjson.loads(reply.body)["choices"][0]["message"]["content"]


def test_good_answer(server: FaultServer, transport: Transport) -> None:
    reply = send(transport, make_call(server))
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert text(reply) == "answer to row-1"
    seen = server.stats()["last"][-1]
    assert seen["headers"]["authorization"] == f"Bearer {KEY}"
    assert seen["headers"]["content-type"] == "application/json"


def test_get(server: FaultServer, transport: Transport) -> None:
    reply = send(transport, Call("GET", f"{server.api_url}/models", {}, b"", 5))
    assert orjson.loads(reply.body)["data"][0]["id"] == "oumi-tiny"


@pytest.mark.parametrize("use", [send, stream])
@pytest.mark.parametrize(
    ("kind", "message"), [("reset", "connection was lost"), ("cut", "reply was cut off")]
)
def test_broken_connections(
    server: FaultServer, transport: Transport, use: Callable[..., object], kind: str, message: str
) -> None:
    server.plan(faults=[{"kind": kind}])
    with pytest.raises(TransportError, match=message) as caught:
        use(transport, make_call(server))
    assert KEY not in str(caught.value)
    assert send(transport, make_call(server)).status == 200
    assert server.stats()["requests"] == 2  # nothing was sent twice


@pytest.mark.parametrize(
    ("use", "fault", "message"),
    [
        (send, {"kind": "hang"}, "no whole reply within"),
        (send, {"kind": "slow", "seconds": 30, "pieces": 100}, "no whole reply within"),
        (stream, {"kind": "hang"}, "the stream was silent for"),
        (stream, {"kind": "slow", "seconds": 60, "pieces": 2}, "the stream was silent for"),
    ],
)
def test_hard_end(
    server: FaultServer, transport: Transport, use: Callable[..., object], fault: dict, message: str
) -> None:
    server.plan(faults=[fault])
    begun_s = time.monotonic()
    with pytest.raises(TransportError, match=rf"{message} 0\.5 s"):
        use(transport, make_call(server, timeout_s=0.5, stream=use is stream))
    assert 0.4 < time.monotonic() - begun_s < 20, "the server would take 30 s"
    server.wait_until(lambda stats: stats["left"] == 1)


def test_a_stream_that_flows_is_not_cut(server: FaultServer, transport: Transport) -> None:
    server.plan(faults=[{"kind": "slow", "seconds": 4, "pieces": 20}])
    begun_s = time.monotonic()
    head, chunks = stream(transport, make_call(server, timeout_s=2.5, stream=True))
    assert head.status == 200
    assert b"[DONE]" in b"".join(chunks)
    assert time.monotonic() - begun_s > 3, "longer than the time-out"


@pytest.mark.parametrize("kind", ["truncated_json", "malformed", "wrong_type", "wrong_choices"])
def test_whole_replies_are_replies(server: FaultServer, transport: Transport, kind: str) -> None:
    server.plan(faults=[{"kind": kind}])
    assert send(transport, make_call(server)).status == 200
    assert server.stats()["by_status"] == {kind: 1}


@pytest.mark.parametrize("code", [400, 401, 404, 408, 429, 500, 503, 529])
def test_statuses_are_replies(server: FaultServer, transport: Transport, code: int) -> None:
    server.plan(faults=[{"kind": "status", "code": code, "times": None, "retry_after_s": 2}])
    reply = send(transport, make_call(server))
    assert (reply.status, reply.headers["retry-after"]) == (code, "2")
    head, chunks = stream(transport, make_call(server, stream=True))
    assert (head.status, head.body, chunks) == (code, reply.body, [])


def test_redirects_are_not_followed(server: FaultServer, transport: Transport) -> None:
    headers = {"location": f"{server.url}/elsewhere"}
    server.plan(faults=[{"kind": "status", "code": 307, "headers": headers}])
    assert send(transport, make_call(server)).status == 307
    assert server.stats()["requests"] == 1


def test_gzip(server: FaultServer, transport: Transport) -> None:
    server.plan(gzip=True)
    assert text(send(transport, make_call(server))) == "answer to row-1"
    assert "gzip" in server.stats()["last"][-1]["headers"]["accept-encoding"]


def test_cancel_closes_the_connection(server: FaultServer, transport: Transport) -> None:
    server.plan(faults=[{"kind": "hang"}])
    calls = [loop.submit(transport.send(make_call(server, row, timeout_s=60))) for row in range(9)]
    server.wait_until(lambda stats: stats["in_flight"] == 9)
    for call in calls:
        call.cancel()
    server.wait_until(lambda stats: stats["left"] == 9)


def test_close_ends_what_is_in_flight(server: FaultServer, transport: Transport) -> None:
    server.plan(faults=[{"kind": "hang"}])
    call = loop.submit(transport.send(make_call(server, timeout_s=60)))
    server.wait_until(lambda stats: stats["in_flight"] == 1)
    loop.call(transport.close())
    with pytest.raises(TransportError, match="closed"):
        call.result(timeout=30)
    with pytest.raises(TransportError, match="closed"):
        send(transport, make_call(server))


def test_close_closes_idle_connections(server: FaultServer, transport: Transport) -> None:
    before = server.stats()["open_connections"]
    send(transport, make_call(server))
    loop.call(transport.close())
    server.wait_until(lambda stats: stats["open_connections"] <= before)


def test_stale_connections(server: FaultServer, transport: Transport) -> None:
    """Connections that the server closes once it has answered: an error at worst, never a stall
    and never a second request.
    """
    server.plan(faults=[{"kind": "close_keepalive", "times": None, "seconds": 0}])

    async def ask(rows: range) -> list[Reply | BaseException]:
        tries = [transport.send(make_call(server, row)) for row in rows]
        return await asyncio.gather(*tries, return_exceptions=True)

    replies = [reply for i in range(20) for reply in loop.call(ask(range(i * 20, i * 20 + 20)))]
    failed = [reply for reply in replies if not isinstance(reply, Reply)]
    assert all(isinstance(error, TransportError) for error in failed)
    assert max(n for n, _ in server.stats()["rows"].values()) == 1
    assert sum(server.answered().values()) == len(replies) - len(failed)
    assert len(failed) < 200


@pytest.mark.slow
def test_counts_agree_under_faults(server: FaultServer, transport: Transport) -> None:
    shares = {"reset": 0.05, "hang": 0.01, "malformed": 0.02, "cut": 0.02}
    faults = [{"kind": kind, "share": share} for kind, share in shares.items()]
    server.plan(faults=[*faults, {"kind": "status", "code": 500, "share": 0.05}])
    counts: dict[str, int] = {}

    async def ask(rows: Iterator[int]) -> None:
        for row in rows:
            while not await once(row):
                pass

    async def once(row: int) -> bool:
        counts[f"row-{row}"] = counts.get(f"row-{row}", 0) + 1
        try:
            reply = await transport.send(make_call(server, row, timeout_s=1))
        except TransportError:
            return False
        return reply.status == 200 and f'"answer to row-{row}"'.encode() in reply.body

    async def ask_all() -> None:
        rows = iter(range(3000))
        await asyncio.gather(*[ask(rows) for _ in range(200)])

    loop.call(ask_all())
    assert {row: [n, 1] for row, n in counts.items()} == server.stats()["rows"]


def test_many_in_flight(server: FaultServer, transport: Transport) -> None:
    server.plan(latency_ms=1000)

    async def ask_all() -> list[Reply]:
        calls = [make_call(server, row, timeout_s=30) for row in range(1000)]
        return await asyncio.gather(*[transport.send(call) for call in calls])

    assert {reply.status for reply in loop.call(ask_all())} == {200}
    assert server.stats()["most_in_flight"] > 500


@pytest.mark.parametrize("piece_bytes", [0, 1, 7, 1000])
def test_streams_cut_anywhere(server: FaultServer, transport: Transport, piece_bytes: int) -> None:
    server.plan(piece_bytes=piece_bytes, event_gap_ms=1 if piece_bytes != 1 else 0)
    head, chunks = stream(transport, make_call(server, stream=True))
    assert (head.status, head.headers["content-type"]) == (200, "text/event-stream")
    events = b"".join(chunks).split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    deltas = [orjson.loads(event[6:])["choices"][0]["delta"] for event in events[:-2]]
    assert "".join(delta.get("content", "") for delta in deltas) == "answer to row-1"


def test_stream_comes_piece_by_piece(server: FaultServer, transport: Transport) -> None:
    server.plan(event_gap_ms=2000)
    pieces = loop.iterate(transport.stream(make_call(server, stream=True)))
    assert isinstance(next(pieces), Head)
    assert b"data:" in next(pieces)
    assert server.stats()["in_flight"] == 1, "the rest is still to be written"
    pieces.close()
    server.wait_until(lambda stats: stats["left"] == 1)


def test_stream_cut_in_mid_event(server: FaultServer, transport: Transport) -> None:
    server.plan(faults=[{"kind": "stream_cut"}])
    with pytest.raises(TransportError, match="cut off"):
        stream(transport, make_call(server, stream=True))


def test_nobody_there(transport: Transport) -> None:
    secret = Call("POST", f"http://127.0.0.1:9/v1?key={KEY}", {"x": KEY}, b"{}", 5)
    with pytest.raises(TransportError, match=r"^127\.0\.0\.1:9: cannot connect") as caught:
        send(transport, secret)
    assert caught.value.__suppress_context__
    assert KEY not in str(caught.value) + repr(secret.headers.keys()) + repr(caught.value)


def test_no_such_host(transport: Transport) -> None:
    with pytest.raises(TransportError, match=r"^no-such-host\.invalid: cannot connect"):
        send(transport, Call("POST", "http://no-such-host.invalid/v1", {}, b"{}", 5))


@pytest.mark.parametrize(
    ("url", "headers"), [("htp://host/v1", {}), ("http://127.0.0.1:9/", {"x": f"{KEY}\n"})]
)
def test_what_cannot_be_sent(transport: Transport, url: str, headers: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        send(transport, Call("POST", url, headers, b"{}", 5))
    assert KEY not in str(caught.value)


def test_calls_do_not_show_keys(server: FaultServer) -> None:
    assert KEY not in repr(make_call(server))


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxy(server: FaultServer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv(name, proxy.url)
        with opened() as transport:
            assert text(send(transport, make_call(server))) == "answer to row-1"
        assert proxy.seen == [f"POST {server.api_url}/chat/completions HTTP/1.1"]


def test_no_proxy(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.1")
    with opened() as transport:
        assert send(transport, make_call(server)).status == 200


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_own_authority(
    tls_server: FaultServer, bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(bundle))
    with opened() as transport:
        assert text(send(transport, make_call(tls_server))) == "answer to row-1"


def test_unknown_authority(tls_server: FaultServer, transport: Transport) -> None:
    with pytest.raises(TransportError, match=r"not trusted.*SSL_CERT_FILE"):
        send(transport, make_call(tls_server))


def test_bundle_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        open_transport()


def test_proxy_with_tls(
    tls_server: FaultServer, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with opened() as transport:
            assert text(send(transport, make_call(tls_server))) == "answer to row-1"
        assert proxy.seen == [f"CONNECT {tls_server.url.removeprefix('https://')} HTTP/1.1"]


_MANY = """
import asyncio, resource, sys
from oumi.backends.remote.http.call import Call
from oumi.backends.remote.http.transport import open_transport

async def main():
    transport = open_transport()
    call = Call("POST", sys.argv[1] + "/chat/completions", {}, b"row-1", 20)
    await asyncio.gather(*[transport.send(call) for _ in range(300)])

resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
asyncio.run(main())
"""


def test_more_connections_than_open_files_are_usual(server: FaultServer) -> None:
    server.plan(latency_ms=500)
    subprocess.run([sys.executable, "-c", _MANY, server.api_url], check=True, timeout=30)
    assert server.stats()["most_in_flight"] > 200


def test_import_loads_no_http_stack() -> None:
    code = "import sys, oumi.backends.remote.http.transport; assert 'wreq' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_exit_with_requests_in_flight(server: FaultServer) -> None:
    """A process may end at any moment without a crash or a wait."""
    server.plan(faults=[{"kind": "hang"}])
    code = (
        "from oumi.runner import loop; "
        "from oumi.backends.remote.http.call import Call; "
        "from oumi.backends.remote.http.transport import open_transport; "
        f"url = '{server.api_url}/chat/completions'; "
        "call = Call('POST', url, {}, b'row-1', 60); "
        "loop.submit(open_transport().send(call)); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        server.wait_until(lambda stats: stats["in_flight"] == 1)
        _, errors = process.communicate(b"\n", timeout=20)
    assert (process.returncode, errors) == (0, b"")
