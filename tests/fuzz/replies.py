"""Replies of servers: answers, streams, errors, headers, batches."""

from __future__ import annotations

import contextlib

from oumi.backends.remote.errors import to_error
from oumi.backends.remote.http.rate_limit_headers import rate_limit_statuses, retry_after_s
from oumi.batch.api.providers import fireworks_replies
from oumi.batch.api.providers.result_lines import read_custom_id, read_request, read_result
from oumi.core.json_text import parse_json, read_json_leniently, write_json
from oumi.core.types import Completion
from oumi.errors import OumiError
from tests.fault_server.eventstream import message
from tests.remote.mutations import SAMPLES

_STATUSES = (400, 401, 403, 404, 413, 429, 500, 529)
_HEADERS = ("retry-after", "retry-after-ms", "x-ratelimit-reset-requests")
_HEADERS += ("x-ratelimit-remaining-requests", "x-ratelimit-limit-requests")


def chat(data: bytes) -> None:
    """A reply of an API like OpenAI's, whole and as a stream."""
    _decode("chat", data)
    _stream("chat", data)


def responses(data: bytes) -> None:
    """The same of OpenAI's Responses API."""
    _decode("responses", data)
    _stream("responses", data)


def anthropic(data: bytes) -> None:
    """The same of Anthropic's API."""
    _decode("anthropic", data)
    _stream("anthropic", data)


def bedrock(data: bytes) -> None:
    """The same of Bedrock's. A line `kind {…}` is an event, in a frame with the right checksums."""
    _decode("bedrock", data)
    _stream("bedrock", data)
    events = (line.partition(b" ") for line in data.splitlines())
    _stream("bedrock", b"".join(_frame(kind, body) for kind, _, body in events))


def errors(data: bytes) -> None:
    """The body of a reply with another status, which the first byte names; a list of models."""
    status = _STATUSES[data[0] % len(_STATUSES)] if data else 500
    str(to_error(status, data[1:], None, "X", "KEY"))
    for sample in SAMPLES.values():
        with contextlib.suppress(OumiError):
            sample.dialect.decode_models(data[1:])


def headers(data: bytes) -> None:
    """Headers that tell of limits, one a line."""
    lines = data.decode("latin-1").split("\n")
    given = dict(zip(_HEADERS, lines, strict=False))
    wait_s = retry_after_s(given, 1.8e9)
    assert wait_s is None or 0 <= wait_s < float("inf")
    rate_limit_statuses(given, 1.8e9)


def batches(data: bytes) -> None:
    """A line of results or of requests, and what a provider says of a job."""
    read_result(data, lambda line: fireworks_replies.read_outcome(line, "X"), read_custom_id)
    read_request(data)
    try:
        value = read_json_leniently(data)
    except ValueError:
        return
    with contextlib.suppress(OumiError):
        fireworks_replies.read_job(value, "X")


def _decode(name: str, data: bytes) -> None:
    sample = SAMPLES[name]
    for config in sample.configs:
        with contextlib.suppress(OumiError):
            _check(sample.dialect.decode(data, config))


def _stream(name: str, data: bytes) -> None:
    sample = SAMPLES[name]
    decoder = sample.dialect.stream_decoder(sample.configs[-1])
    with contextlib.suppress(OumiError):
        for start in range(0, len(data), 97):
            decoder.feed(data[start : start + 97])
        completion = decoder.last().completion
        assert completion is not None
        _check(completion)


def _check(completion: Completion) -> None:
    """A journal takes it and gives it back."""
    line = write_json(completion.to_dict())
    if completion.logprobs is None:  # these may be as deep as they like
        assert write_json(Completion.from_dict(parse_json(line)).to_dict()) == line


def _frame(kind: bytes, payload: bytes) -> bytes:
    names = {":event-type": kind[:99].decode("latin-1"), ":message-type": "event"}
    return message(names, payload)
