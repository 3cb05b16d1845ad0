"""What is written for a request, by its fault. Pure functions."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson

from tests.fault_server.forms import CHAT, Bodies, Form
from tests.fault_server.limit import retry_after
from tests.fault_server.plan import Fault, Plan

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in, and the row it is of."""

    row: str
    body: bytes
    plan: Plan
    headers: dict[str, str] = field(default_factory=dict)  # for the reply
    takes_gzip: bool = False
    form: Form = CHAT

    @property
    def streams(self) -> bool:
        """Whether an event stream is asked for."""
        asks = b'"stream":true' in self.body or b'"stream": true' in self.body
        return self.form.streams or asks

    @property
    def bodies(self) -> Bodies:
        """The bodies of the API that was asked."""
        return self.form.bodies


@dataclass(frozen=True, slots=True)
class Answer:
    """Pieces to write `gap_s` apart, then `end`: keep, close, reset or hang."""

    label: str  # what it counts as: "200" only for a good answer, written whole
    pieces: list[bytes]
    gap_s: float = 0
    end: str = "keep"
    end_gap_s: float = 0


def make(request: Request, fault: Fault | None) -> Answer:
    """The answer to a chat request."""
    if fault is None:
        return _good_stream(request) if request.streams else Answer("200", [_good(request)])
    return _MAKERS[fault.kind](request, fault)


def plain(code: int, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """A JSON body with a status."""
    return Answer(str(code), [_frame(code, body, headers or {})])


def _good(request: Request) -> bytes:
    body = request.bodies.completion(request.row, request.body, request.plan)
    if request.plan.gzip and request.takes_gzip:
        return _frame(200, gzip.compress(body), {"content-encoding": "gzip", **request.headers})
    if not request.headers:
        return _HEAD % (len(body), body)
    return _frame(200, body, request.headers)


def _good_stream(request: Request) -> Answer:
    events = request.bodies.events(request.row, request.body, request.plan)
    pieces = [_stream_head(request), *_chunks(events, request.plan.piece_bytes), b"0\r\n\r\n"]
    return Answer("200", pieces, request.plan.event_gap_ms / 1000)


def _stream_head(request: Request) -> bytes:
    kind = {"content-type": request.bodies.STREAM_TYPE, "transfer-encoding": "chunked"}
    return _head(200, kind | request.headers)


def _chunks(parts: list[bytes], size: int = 0) -> list[bytes]:
    if size:
        whole = b"".join(parts)
        parts = [whole[i : i + size] for i in range(0, len(whole), size)]
    return [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]


def _frame(code: int, body: bytes, headers: dict[str, str]) -> bytes:
    usual = {"content-type": "application/json", "content-length": str(len(body))}
    return _head(code, {**usual, **headers}) + body


def _head(code: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {code} Status\r\n{lines}\r\n".encode()


def _reset(request: Request, fault: Fault) -> Answer:
    return Answer("reset", [], end="reset")


def _hang(request: Request, fault: Fault) -> Answer:
    return Answer("hang", [], end="hang")


def _cut(request: Request, fault: Fault) -> Answer:
    whole = _good(request)
    return Answer("cut", [whole[: len(whole) - 200]], end="close")


def _slow(request: Request, fault: Fault) -> Answer:
    whole = b"".join(make(request, None).pieces)
    size = -(-len(whole) // fault.pieces)
    pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
    return Answer("200", pieces, gap_s=fault.seconds / len(pieces))


def _close_keepalive(request: Request, fault: Fault) -> Answer:
    good = make(request, None)
    return Answer("200", good.pieces, good.gap_s, end="close", end_gap_s=fault.seconds)


def _truncated_json(request: Request, fault: Fault) -> Answer:
    body = request.bodies.completion(request.row, request.body, request.plan)
    return _bad(request, "truncated_json", body[: len(body) // 2])


def _malformed(request: Request, fault: Fault) -> Answer:
    return _bad(request, "malformed", b"upstream connect error or disconnect")


def _wrong_type(request: Request, fault: Fault) -> Answer:
    page = b"<html><body>Just a moment...</body></html>"
    return _bad(request, "wrong_type", page, {"content-type": "text/html"})


def _wrong_choices(request: Request, fault: Fault) -> Answer:
    good = request.bodies.completion(request.row, request.body, request.plan)
    return _bad(request, "wrong_choices", request.bodies.wrong_choices(fault.variant, good))


def _bad(
    request: Request, label: str, body: bytes, headers: dict[str, str] | None = None
) -> Answer:
    return Answer(label, [_frame(200, body, {**request.headers, **(headers or {})})])


def _raw(request: Request, fault: Fault) -> Answer:
    body = fault.body.encode("latin-1")
    return Answer("200", [_frame(200, body, {**request.headers, **fault.headers})])


def _status(request: Request, fault: Fault) -> Answer:
    headers = {**request.headers, **fault.headers}
    if fault.retry_after_s is not None:
        headers |= retry_after(fault.retry_after_s, fault.retry_after)
    return plain(fault.code, _status_body(request, fault), headers)


def _status_body(request: Request, fault: Fault) -> bytes:
    if fault.body is None:
        return request.bodies.error(fault.code, fault.error)
    if isinstance(fault.body, str):
        return fault.body.encode()
    return orjson.dumps(fault.body)


def _stream_cut(request: Request, fault: Fault) -> Answer:
    if not request.streams:
        return _cut(request, fault)
    half, torn = _half(request)
    pieces = [_stream_head(request), *_chunks([*half, torn[: len(torn) // 2]])]
    return Answer("stream_cut", pieces, request.plan.event_gap_ms / 1000, end="close")


def _stream_error(request: Request, fault: Fault) -> Answer:
    if not request.streams:
        return plain(500, request.bodies.error(500))
    half, _ = _half(request)
    pieces = [_stream_head(request), *_chunks([*half, request.bodies.error_event()]), b"0\r\n\r\n"]
    return Answer("stream_error", pieces, request.plan.event_gap_ms / 1000)


def _answer(request: Request, fault: Fault) -> Answer:
    plan = replace(request.plan, message=fault.message, finish_reason=fault.finish_reason)
    if fault.mended is not None and b'"role":"assistant"' in request.body:
        plan = replace(request.plan, message=fault.mended, finish_reason="stop")
    return make(replace(request, plan=plan), None)


def _flood(request: Request, fault: Fault) -> Answer:
    start = b"data: " if request.streams else b'{"choices":[{"message":{"content":"'
    headers = {"content-type": "application/json"}
    if fault.compressed:
        packed = gzip.compress(start + b"a" * (fault.mib << 20))
        return Answer("flood", [_frame(fault.code, packed, {"content-encoding": "gzip"})])
    pieces = _chunks([start]) + _chunks([b"a" * (1 << 20)]) * fault.mib  # one object, many times
    head = _head(fault.code, {**headers, "transfer-encoding": "chunked"})
    return Answer("flood", [head, *pieces, b"0\r\n\r\n"])


def _half(request: Request) -> tuple[list[bytes], bytes]:
    events = request.bodies.events(request.row, request.body, request.plan)
    middle = len(events) // 2
    return events[:middle], events[middle]


_MAKERS: dict[str, Callable[[Request, Fault], Answer]] = {
    "reset": _reset,
    "hang": _hang,
    "cut": _cut,
    "slow": _slow,
    "close_keepalive": _close_keepalive,
    "truncated_json": _truncated_json,
    "malformed": _malformed,
    "wrong_type": _wrong_type,
    "wrong_choices": _wrong_choices,
    "raw": _raw,
    "status": _status,
    "stream_cut": _stream_cut,
    "stream_error": _stream_error,
    "answer": _answer,
    "flood": _flood,
}
