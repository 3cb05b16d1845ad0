"""Whatever a server sends, a decoder gives an answer that can be recorded, or an error of ours."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oumi.core.json_text import parse_json, write_json
from oumi.core.types import Completion
from oumi.errors import OumiError
from tests.remote.mutations import SAMPLES, Sample, damaged, mutated, streams, to_json

# For a longer search: DECODER_EXAMPLES=100000, which takes other examples each time.
_EXAMPLES = int(os.environ.get("DECODER_EXAMPLES", "0"))
SEARCH = settings(
    max_examples=_EXAMPLES or 250,
    derandomize=not _EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def check(completion: Completion) -> None:
    """A journal takes it and gives it back."""
    line = write_json(completion.to_dict())
    if completion.logprobs is None:  # these may be as deep as they like
        assert write_json(Completion.from_dict(parse_json(line)).to_dict()) == line
    message = completion.message
    assert message.content is not None or message.tool_calls
    assert all(call.id and call.function.name for call in message.tool_calls or ())


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
@SEARCH
@given(data=st.data())
def test_whole_replies(sample: Sample, data: st.DataObject) -> None:
    reply = data.draw(mutated(data.draw(st.sampled_from(sample.replies))))
    body = data.draw(damaged(to_json(reply)))
    config = data.draw(st.sampled_from(sample.configs))
    with contextlib.suppress(OumiError):
        check(sample.dialect.decode(body, config))


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
@SEARCH
@given(data=st.data())
def test_streams(sample: Sample, data: st.DataObject) -> None:
    stream = data.draw(streams(sample))
    decoder = sample.dialect.stream_decoder(data.draw(st.sampled_from(sample.configs)))
    cut = data.draw(st.integers(0, len(stream)))
    try:
        deltas = [*decoder.feed(stream[:cut]), *decoder.feed(stream[cut:])]
        last = decoder.last()
    except OumiError:
        return
    check(last.completion)
    "".join([*(delta.content for delta in deltas), last.content]).encode()
