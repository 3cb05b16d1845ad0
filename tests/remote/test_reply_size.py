"""Replies that are too large: a row's failure, and no memory."""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.dialects.sse import EventDecoder
from oumi.backends.remote.http.lines import LineSplitter
from oumi.core.configs import ModelParams, RemoteParams
from oumi.errors import InferenceError, RequestError
from oumi.inference import RemoteInferenceEngine
from oumi.runner import loop
from tests.conftest import ask
from tests.fault_server import FaultServer

MOST = 1 << 20
TOO_LARGE = r"larger than 1,048,576 bytes.*remote_params\.max_reply_bytes"

Make = Callable[..., RemoteInferenceEngine]


@pytest.fixture
def make(server: FaultServer) -> Iterator[Make]:
    engines: list[RemoteInferenceEngine] = []

    def make(**remote: Any) -> RemoteInferenceEngine:
        settings = {"max_reply_bytes": MOST, "max_retries": 2, "retry_backoff_base": 0.01}
        params = RemoteParams(**{"api_url": server.api_url, **settings, **remote})
        engines.append(RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=params))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def flood(code: int = 200, **fields: Any) -> dict[str, Any]:
    return {"kind": "flood", "code": code, "times": None, **fields}


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@pytest.mark.parametrize("how", [{"compressed": True, "mib": 256}, {"mib": 32}], ids=str)
def test_a_reply_that_is_too_large_fails_its_row_alone(make: Make, server: FaultServer, how: dict):
    server.plan(scripts={"row-1": [flood(**how)]})
    before = peak_mib()
    result = make().infer_partial([ask(f"row-{i}") for i in range(3)])
    assert peak_mib() - before < 64
    assert sorted(result.failures) == [1]
    assert re.search(TOO_LARGE, result.failures[1].error_message)
    assert server.stats()["rows"]["row-1"][0] == 1  # to ask again would pay again


def test_a_length_that_is_too_large_is_refused_before_it_is_read(make: Make, server: FaultServer):
    server.plan(message={"content": "a" * MOST})
    with pytest.raises(InferenceError, match="larger than 1,048,576 bytes"):
        make().infer([ask("row-1")])


def test_the_limit_is_of_what_is_decompressed(make: Make, server: FaultServer):
    server.plan(message={"content": "a" * 5000}, gzip=True)
    engine = make(max_reply_bytes=6000)
    assert engine.infer([ask("row-1")])[0].messages[-1].content == "a" * 5000
    with pytest.raises(InferenceError, match="larger than 5,000 bytes"):
        make(max_reply_bytes=5000).infer([ask("row-1")])


def test_a_stream_that_is_too_large(make: Make, server: FaultServer):
    server.plan(faults=[flood(mib=16)])
    with pytest.raises(RequestError, match=TOO_LARGE):
        list(make().stream(ask("row-1")))


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_a_long_error_still_means_what_its_status_says(
    make: Make, server: FaultServer, compressed: bool, stream: bool
):
    server.plan(faults=[flood(503, compressed=compressed, mib=8, times=1)])
    engine = make(max_reply_bytes=64 << 20)
    if stream:
        answer = [*engine.stream(ask("row-1"))][-1].completion.message
    else:
        answer = engine.infer([ask("row-1")])[0].messages[-1]
    assert answer.content == "answer to row-1"
    assert server.stats()["requests"] == 2


def test_a_list_of_models_that_is_too_large(make: Make, server: FaultServer):
    server.plan(models=["a" * MOST])
    with pytest.raises(RequestError, match=TOO_LARGE):
        make().list_models()


def test_a_line_of_a_file_that_is_too_long_is_cut_off(
    make: Make, server: FaultServer, caplog: pytest.LogCaptureFixture
):
    server.plan(models=["a" * 300_000])

    async def lines(most: int) -> list[bytes]:
        engine = make(max_reply_bytes=most)
        return [line async for line in ApiClient(engine.session()).lines("/models")]

    [whole] = loop.call(lines(1 << 20))
    assert len(whole) > 300_000
    assert not caplog.text
    [cut] = loop.call(lines(100_000))
    assert cut == whole[: 1 << 16]
    assert "longer than the 100,000 bytes that remote_params.max_reply_bytes allows" in caplog.text
    [cut] = loop.call(lines(1000))
    assert cut == whole[:1000]


def test_of_a_long_line_a_piece_is_kept():
    lines = LineSplitter(max_bytes=10)
    for _ in range(1000):
        assert list(lines.feed(b"12345678")) == []
    assert list(lines.feed(b"end\nnext\n")) == [b"12345678" * 2, b"next"]


def test_lines_cut_anywhere():
    text = b"one\n\ntwo\r\nthree\rfour\r\n\r\n\n\rfive"
    expected = [b"one", b"", b"two", b"three", b"four", b"", b"", b"", b"five"]
    for size in range(1, len(text) + 1):
        lines = LineSplitter()
        found = [line for i in range(0, len(text), size) for line in lines.feed(text[i : i + size])]
        assert [*found, lines.last()] == expected


def cpu_s(mib: int, piece: bytes) -> float:
    """The time that a long event takes, in pieces."""
    decoder, begun_s = EventDecoder(), time.process_time()
    assert list(decoder.feed(b"data: ")) == []
    for _ in range((mib << 20) // len(piece)):
        assert list(decoder.feed(piece)) == []
    [event] = decoder.feed(b"\n\n")
    assert len(event) == mib << 20
    return time.process_time() - begun_s


def test_an_event_takes_time_in_proportion_to_its_length():
    piece = b"a" * 256
    small_s = min(cpu_s(1, piece) for _ in range(3))
    # 16 times as long: a decoder that copies what it has at each piece took 256 times as long.
    assert cpu_s(16, piece) < 80 * small_s
