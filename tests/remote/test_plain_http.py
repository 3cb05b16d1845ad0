"""Replies as servers write them, byte by byte, and what may follow them on a connection."""

from __future__ import annotations

import asyncio
import gc
import gzip
import itertools
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.transport import Transport, open_transport
from oumi.backends.remote.http.transport_errors import TransportError, TransportTimeoutError
from oumi.errors import RequestError
from oumi.runner import loop

OK = b"HTTP/1.1 200 OK\r\n"
TWO = OK + b"content-length: 3\r\n\r\ntwo"


class Server:
    """Writes prepared bytes, one list of pieces a call, and counts connections and calls.

    A connection is closed after its last reply if that says so.
    """

    def __init__(self, replies: list[bytes], *, closes: bool = False, family: int = socket.AF_INET):
        self._replies = iter(replies)
        self._closes = closes
        self._listener = socket.create_server(
            ("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family
        )
        self.connections = 0
        self.closed = 0
        self.calls: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while call := connection.recv(1 << 16):
                self.calls.append(call)
                reply = next(self._replies, None)
                if reply is None:
                    return
                connection.sendall(reply)
                if self._closes:
                    break
        self.closed += 1


Open = Callable[..., Server]
Use = Callable[..., Reply]


@pytest.fixture
def serve() -> Iterator[Open]:
    servers: list[Server] = []

    def serve(*replies: bytes, closes: bool = False, family: int = socket.AF_INET) -> Server:
        servers.append(Server(list(replies), closes=closes, family=family))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Iterator[Transport]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    transport = open_transport()
    yield transport
    loop.call(transport.close())


def send(transport: Transport, server: Server, *, most: int = 1 << 20) -> Reply:
    headers = {"content-type": "application/json"}
    return loop.call(transport.send(Call("POST", server.url, headers, b"{}", 5, most)))


def stream(transport: Transport, server: Server, *, most: int = 1 << 20) -> Reply:
    call = Call("POST", server.url, {"content-type": "application/json"}, b"{}", 5, most)
    head, *pieces = list(loop.iterate(transport.stream(call)))
    assert isinstance(head, Head)
    return head._replace(body=head.body + b"".join(pieces))


either = pytest.mark.parametrize("use", [send, stream])


@contextmanager
def fails(message: str) -> Iterator[None]:
    with pytest.raises(TransportError, match=message):
        yield


@either
@pytest.mark.parametrize(
    "reply",
    [
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nend: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n"
        + OK
        + b"content-length: 5\r\n\r\nhello",
        OK + b"content-encoding: gzip\r\ncontent-length: 25\r\n\r\n" + gzip.compress(b"hello"),
        OK + b"content-encoding: deflate\r\ncontent-length: 13\r\n\r\n" + zlib.compress(b"hello"),
    ],
    ids=["length", "chunks", "earlier heads", "gzip", "deflate"],
)
def test_a_whole_reply_leaves_the_connection_open(
    serve: Open, use: Use, transport: Transport, reply: bytes
) -> None:
    server = serve(reply, TWO)
    assert use(transport, server).body == b"hello"
    assert use(transport, server).body == b"two"
    assert (server.connections, len(server.calls)) == (1, 2)


def test_a_reply_leaves_nothing_to_the_garbage_collector(serve: Open, transport: Transport) -> None:
    server = serve(*[TWO] * 30)
    send(transport, server)  # what is made once is there then
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(29):
            send(transport, server)
        assert len(gc.get_objects()) - before < 29
    finally:
        gc.enable()


@either
@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello",
        OK + b"\r\nhello",
    ],
    ids=["1.0", "close", "no length"],
)
def test_a_reply_may_be_the_last_of_its_connection(
    serve: Open, use: Use, transport: Transport, reply: bytes
) -> None:
    server = serve(reply, reply, closes=True)
    assert [use(transport, server).body for _ in range(2)] == [b"hello"] * 2
    assert server.connections == 2


@either
@pytest.mark.parametrize(
    "more",
    [OK + b"content-length: 5\r\n\r\nwrong", OK, b"garbage\r\n\r\n", b"\0"],
    ids=["reply", "head", "text", "byte"],
)
def test_what_comes_unasked_answers_no_other_call(
    serve: Open, use: Use, transport: Transport, more: bytes
) -> None:
    server = serve(OK + b"content-length: 3\r\n\r\none" + more, TWO)
    assert use(transport, server).body == b"one"
    assert use(transport, server).body == b"two"
    assert server.connections == 2


@either
@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK",
        OK + b"content-length: 50\r\n\r\nhello",
        OK + b"content-length: x\r\n\r\nhello",
        OK + b"transfer-encoding: chunked\r\n\r\nzz\r\nhello",
        OK + b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello",
        OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"hello")[:-4],
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        OK + b"x: " + b"y" * (1 << 19),
    ],
    ids=["ssh", "head", "body", "size", "chunk", "no gzip", "half gzip", "upgrade", "long head"],
)
def test_what_is_no_whole_reply_is_an_error(
    serve: Open, use: Use, transport: Transport, reply: bytes
) -> None:
    server = serve(reply, TWO, closes=True)
    with fails("cut off or garbled"):
        use(transport, server)
    assert use(transport, server).body == b"two"
    assert len(server.calls) == 2, "nothing is sent twice"


def test_a_reply_cut_into_single_bytes(transport: Transport) -> None:
    reply = OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answer = loop.submit(transport.send(Call("GET", url, {}, b"", 5)))
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            connection.recv(1 << 16)
            for byte in reply:
                connection.send(bytes([byte]))
            assert answer.result(timeout=30).body == b"hello"


def test_each_call_of_a_connection_has_its_own_time(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def begin(timeout_s: float) -> Future[Reply]:
            return loop.submit(transport.send(Call("GET", url, {}, b"", timeout_s)))

        first_s = 2.0
        first = begin(first_s)
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(TWO)
            assert first.result(timeout=30).body == b"two"
            longer = begin(60)
            connection.recv(1 << 16)
            time.sleep(first_s + 0.2)  # the time of the first call is over
            connection.sendall(TWO)
            assert longer.result(timeout=30).body == b"two"
            with pytest.raises(TransportTimeoutError):
                begin(0.2).result(timeout=30)


@either
def test_sizes(serve: Open, transport: Transport, use: Use) -> None:
    big, bomb = b"x" * 1000, gzip.compress(b"x" * (1 << 24))
    error = b"HTTP/1.1 500 No\r\ncontent-length: 1000\r\n\r\n" + big
    packed = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(bomb), bomb)
    server = serve(OK + b"content-length: 1000\r\n\r\n" + big, packed, error, TWO)
    for _ in range(2):
        with pytest.raises(RequestError, match="larger than 999 bytes"):
            use(transport, server, most=999)
    assert use(transport, server, most=999) == (500, {"content-length": "1000"}, big[:999])
    assert use(transport, server).body == b"two"


def test_what_is_sent(serve: Open, transport: Transport) -> None:
    server = serve(TWO, TWO, family=socket.AF_INET6)
    url = server.url + "/a b?q=ü&r=%20#fragment"
    loop.call(transport.send(Call("POST", url.replace("ü", "%C3%BC"), {"X-A": "é"}, b"{}", 5)))
    head, _, body = server.calls[0].partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    assert first == b"POST /v1/a%20b?q=%C3%BC&r=%20 HTTP/1.1"
    host = server.url.removeprefix("http://").removesuffix("/v1").encode()
    assert {b"host: " + host, b"x-a: \xe9", b"content-length: 2", b"user-agent: oumi"} < {*headers}
    assert body == b"{}"
    assert len({header.partition(b":")[0] for header in headers}) == len(headers)


def test_a_connection_that_the_server_has_closed_is_not_used(
    serve: Open, transport: Transport
) -> None:
    server = serve(*itertools.repeat(TWO, 5), closes=True)
    for number in range(1, 6):
        assert send(transport, server).body == b"two"
        while server.closed < number:
            time.sleep(0.001)
        loop.call(asyncio.sleep(0.01))  # until the event loop has heard of it


def test_a_stream_that_is_read_slowly_is_not_held_in_memory(
    serve: Open, transport: Transport
) -> None:
    size = 16 << 20
    server = serve(OK + b"content-length: %d\r\n\r\n" % size + b"x" * size)
    call = Call("POST", server.url, {}, b"{}", 30)
    head, *pieces = slowly(loop.iterate(transport.stream(call)))
    assert (head, sum(map(len, pieces))) == (Head(200, {"content-length": str(size)}, b""), size)
    assert max(map(len, pieces)) < 1 << 20


def slowly(pieces: Iterator[Head | bytes]) -> Iterator[Head | bytes]:
    for number, piece in enumerate(pieces):
        yield piece
        if number < 3:
            time.sleep(0.1)  # the server would have sent all of it


def test_a_stream_that_is_closed_early_closes_its_connection(
    serve: Open, transport: Transport
) -> None:
    server = serve(OK + b"content-length: 9\r\n\r\nhello", TWO)
    pieces = loop.iterate(transport.stream(Call("POST", server.url, {}, b"{}", 5)))
    assert [next(pieces), next(pieces)] == [Head(200, {"content-length": "9"}, b""), b"hello"]
    pieces.close()
    assert send(transport, server).body == b"two"
    assert server.connections == 2


def test_calls_of_one_moment_are_all_sent_whole(serve: Open, transport: Transport) -> None:
    server, bodies = serve(*itertools.repeat(TWO, 200)), [b'{"row":%d}' % row for row in range(200)]

    async def send_all(bodies: list[bytes]) -> list[Reply]:
        calls = (Call("POST", server.url, {}, body, 30) for body in bodies)
        return await asyncio.gather(*map(transport.send, calls))

    for half in (bodies[:100], bodies[100:]):  # the second one on connections that are open
        assert {reply.body for reply in loop.call(send_all(half))} == {b"two"}
    assert sorted(call.partition(b"\r\n\r\n")[2] for call in server.calls) == sorted(bodies)


def test_a_call_whose_connection_is_closed_before_it_is_written_is_not_sent(
    serve: Open, transport: Transport
) -> None:
    server = serve(TWO, TWO)
    assert send(transport, server).body == b"two"

    async def close_at_once() -> None:
        call = transport.send(Call("POST", server.url, {}, b"{}", 5))
        await asyncio.gather(call, transport.close())

    with fails("closed"):
        loop.call(close_at_once())
    assert len(server.calls) == 1
