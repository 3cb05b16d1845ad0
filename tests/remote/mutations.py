"""Replies of all dialects, and strange ones made of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from hypothesis import strategies as st

from oumi.backends.remote.dialects import Dialect, anthropic, bedrock, chat, responses
from oumi.core.configs import GenerationParams, InferenceConfig
from tests.fault_server.eventstream import event, message
from tests.remote import test_anthropic_replies, test_bedrock_replies, test_responses_replies
from tests.remote.test_chat_replies import REPLY

CONFIG = InferenceConfig(generation=GenerationParams(logprobs=1))
BOM = b"\xef\xbb\xbf"
_WRITTEN = {
    b"DEEP": b"[" * 250 + b"]" * 250,
    b"DEEPER": b'{"a":' * 600 + b"1" + b"}" * 600,
    b"NOT_A_NUMBER": b"NaN",
    b"HALF": b'"a\\ud83d"',
    b"OTHER_HALF": b'"\\ude00b"',
    b"LONG": b"9" * 40,
}


class Sample(NamedTuple):
    """Replies of a dialect, events of its streams, and how an event is written."""

    dialect: Dialect
    configs: list[InferenceConfig]
    replies: list[dict[str, Any]]
    events: list[dict[str, Any]]
    write: Callable[[Any], bytes]
    ends: tuple[bytes, ...] = (b"", b"data: [DONE]\n\n", b"data: [DONE]")


def to_json(value: Any) -> bytes:
    """The value as JSON, with what no JSON library would write."""
    text = orjson.dumps(value)
    for name, written in _WRITTEN.items():
        text = text.replace(b'"%b"' % name, written)
    return text


def write_sse(value: Any) -> bytes:
    """An event of server-sent events."""
    return b"data: " + to_json(value) + b"\n\n"


def write_converse(value: Any) -> bytes:
    """An event of ConverseStream; its kind stands in the value."""
    if not isinstance(value, dict):
        return event("contentBlockDelta")
    fields = {name: field for name, field in value.items() if name != "kind"}
    headers = {":event-type": str(value.get("kind"))[:99], ":message-type": "event"}
    return message(headers, to_json(fields))


def _chat_replies() -> list[dict[str, Any]]:
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    messages = [
        {"content": "Grüß Gott"},
        {"content": None, "tool_calls": [call, {**call, "extra_content": {"google": {"a": "b"}}}]},
        {"content": None, "function_call": {"name": "add", "arguments": "{}"}},
        {"content": "a", "reasoning": "b", "reasoning_details": [{"type": "reasoning.text"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, "b"]},
        {"content": None, "refusal": "No."},
        {"content": "a", "thinking_blocks": [{"type": "thinking", "thinking": "b"}]},
    ]
    replies = [copy.deepcopy(REPLY) for _ in messages]
    for reply, changes in zip(replies, messages, strict=True):
        reply["choices"][0]["message"] |= changes
        reply["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -1.0}]}
    return replies


def _chat_events() -> list[dict[str, Any]]:
    call = {"index": 0, "id": "c", "function": {"name": "add", "arguments": ""}}
    deltas = [
        {"role": "assistant", "content": ""},
        {"content": "Grüß"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]},
        {"tool_calls": [call]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]},
        {"function_call": {"name": "add", "arguments": "{}"}},
        {"refusal": "No."},
    ]
    events: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": d}]} for d in deltas]
    last = {"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": {"content": []}}
    return [*events, {"choices": [last], "usage": REPLY["usage"]}]


def _anthropic_events() -> list[dict[str, Any]]:
    lines = test_anthropic_replies.STREAM.split(b"\n")
    return [orjson.loads(line[len(b"data:") :]) for line in lines if line.startswith(b"data:")]


def _converse_events() -> list[dict[str, Any]]:
    start = {"toolUse": {"toolUseId": "c1", "name": "add"}}
    deltas = [
        {"text": "Grüß"},
        {"reasoningContent": {"text": "Hm."}},
        {"reasoningContent": {"signature": "s1"}},
        {"reasoningContent": {"redactedContent": "eA=="}},
        {"toolUse": {"input": '{"a":1}'}},
    ]
    return [
        {"kind": "messageStart", "role": "assistant"},
        {"kind": "contentBlockStart", "contentBlockIndex": 4, "start": start},
        *(
            {"kind": "contentBlockDelta", "contentBlockIndex": index, "delta": delta}
            for index, delta in enumerate(deltas)
        ),
        {"kind": "contentBlockStop", "contentBlockIndex": 4},
        {"kind": "messageStop", "stopReason": "end_turn"},
        {"kind": "metadata", "usage": test_bedrock_replies.USAGE},
    ]


def _anthropic_replies() -> list[dict[str, Any]]:
    tests = test_anthropic_replies
    blocks = (tests.THINKING, tests.REDACTED, tests.TEXT, tests.CALL, tests.SEARCH)
    answer = {**tests.CALL, "name": "answer"}
    return [orjson.loads(tests.reply(*blocks)), orjson.loads(tests.reply(tests.TEXT, answer))]


def _converse_replies() -> list[dict[str, Any]]:
    tests = test_bedrock_replies
    blocks = (tests.SIGNED, tests.REDACTED, tests.TEXT, tests.CALL)
    return [orjson.loads(tests.reply(*blocks)), orjson.loads(tests.reply(tests.TEXT))]


def _responses_replies() -> list[dict[str, Any]]:
    tests = test_responses_replies
    items = (tests.THOUGHT, tests.TEXT, tests.CALL, tests.SEARCH)
    return [tests.response(*items), tests.response(tests.REFUSAL)]


def _responses_events() -> list[dict[str, Any]]:
    tests = test_responses_replies
    return tests.events(tests.THOUGHT, tests.TEXT, tests.CALL, tests.REFUSAL)


SAMPLES = {
    "chat": Sample(chat, [CONFIG], _chat_replies(), _chat_events(), write_sse),
    "responses": Sample(responses, [CONFIG], _responses_replies(), _responses_events(), write_sse),
    "anthropic": Sample(
        anthropic,
        [test_anthropic_replies.CONFIG, test_anthropic_replies.BY_TOOL],
        _anthropic_replies(),
        _anthropic_events(),
        write_sse,
    ),
    "bedrock": Sample(
        bedrock,
        [test_bedrock_replies.CONFIG, test_bedrock_replies.BY_TOOL],
        _converse_replies(),
        _converse_events(),
        write_converse,
        ends=(b"",),
    ),
}

_ODD: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2**53 + 1,
        2**63,
        1e300,
        0.5,
        "",
        "a",
        "stop",
        "error",
        "{}",
        "7",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        ["a"],
        {"a": None},
        {"text": "a"},
        {"type": "text", "text": None},
    ),
    *({"error": {"message": "no", "code": "429"}}, {"type": "x"}, {"index": "0"}, "\ud7ff", "\0"),
]
ODD = st.sampled_from([*_ODD, *(name.decode() for name in _WRITTEN)])
BYTES = st.sampled_from(
    [
        *(b"NaN", b"-Infinity", b'"\\ud83d"', b'"\\ude00"', b"\xff", b"\x00", b"\n", b"\r", BOM),
        *(b"{", b"}", b"[", b'"', b"\\", b"<html>", b"data:", b"error: ", b"[DONE]", b"1e999"),
        *(b"9" * 30, b"[" * 300, b": ping\n\n", b"event: error\n"),
    ]
)


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with some of its parts replaced, left out, doubled, or wrapped."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(0, 3))):
        value = _mutate(draw, value)
    return value


def _mutate(draw: st.DrawFn, value: Any) -> Any:
    names = list(value) if isinstance(value, dict) else list(range(_length(value)))
    if not names or draw(st.integers(0, 4)) == 0:
        kept = [value, [value], {"text": value}, [value, value]]
        return copy.deepcopy(draw(st.sampled_from(kept) | ODD))
    name = draw(st.sampled_from(names))
    if draw(st.integers(0, 6)) == 0:
        del value[name]
    else:
        value[name] = _mutate(draw, value[name])
    return value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


@st.composite
def streams(draw: st.DrawFn, sample: Sample) -> bytes:
    """A stream of which a few events are strange, or in another order."""
    events = list(sample.events)
    for index in draw(st.lists(st.integers(0, len(events) - 1), max_size=3)):
        events[index] = draw(mutated(events[index]))
    if draw(st.integers(0, 3)) == 0:
        events = draw(st.permutations(events))
    return draw(damaged(b"".join(map(sample.write, events)) + draw(st.sampled_from(sample.ends))))


@st.composite
def damaged(draw: st.DrawFn, text: bytes) -> bytes:
    """Bytes with some of them replaced, left out, or put in."""
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(text)))
        end = min(start + draw(st.sampled_from([0, 0, 1, 3, 40])), len(text))
        text = text[:start] + draw(BYTES | st.just(b"")) + text[end:]
    return text
