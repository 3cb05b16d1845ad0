"""Whatever parts an answer comes in, the official clients read it back whole."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oumi.core.types import (
    Conversation,
    Delta,
    FinishReason,
    FunctionCall,
    Message,
    Role,
    ToolCall,
    Usage,
)
from oumi.core.types.completion import Completion, ToolCallDelta
from oumi.server.anthropic.stream import MessageStream
from oumi.server.openai_chat.stream import ChatStream
from oumi.server.query import Query, StreamEncoder
from oumi.server.responses.stream import ResponseStream

texts = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=4)
objects = st.dictionaries(
    st.text("ab", max_size=3), st.integers() | st.text(max_size=5), max_size=3
)


def cut(text: str, places: list[int]) -> list[str]:
    """The text in pieces."""
    ends = sorted({place % (len(text) + 1) for place in places} | {len(text)})
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@st.composite
def answers(draw: st.DrawFn) -> list[Delta]:
    """The parts of an answer in any order that keeps each text's own, and the whole at the end."""
    content, thought = draw(texts), draw(texts)
    arguments = [json.dumps(value) for value in draw(st.lists(objects, max_size=3))]
    lanes: list[list[Delta]] = [
        [Delta(content=piece) for piece in content],
        [Delta(reasoning_content=piece) for piece in thought],
    ]
    heads = []
    for index, text in enumerate(arguments):
        heads.append(Delta(tool_calls=(ToolCallDelta(index, f"id-{index}", f"f{index}"),)))
        pieces = cut(text, draw(st.lists(st.integers(0, 50), max_size=3)))
        lanes.append([Delta(tool_calls=(ToolCallDelta(index, arguments=p),)) for p in pieces])
    deltas = []
    begun = 0
    while any(lanes) or begun < len(heads):
        ready = [n for n, lane in enumerate(lanes) if lane and n - 2 < begun]
        step = draw(st.sampled_from([*ready, *(["head"] if begun < len(heads) else [])]))
        if step == "head":
            deltas.append(heads[begun])
            begun += 1
        else:
            deltas.append(lanes[step].pop(0))
    calls = [
        ToolCall(id=f"id-{n}", function=FunctionCall(name=f"f{n}", arguments=text))
        for n, text in enumerate(arguments)
    ]
    message = Message(
        role=Role.ASSISTANT,
        content="".join(content),
        reasoning_content="".join(thought) or None,
        tool_calls=calls or None,
    )
    reason = FinishReason.TOOL_CALLS if calls else FinishReason.STOP
    return [*deltas, Delta(completion=Completion(message, reason, Usage(3, 5)))]


def written(encoder: StreamEncoder, deltas: list[Delta]) -> Iterator[bytes]:
    yield encoder.start()
    for delta in deltas:
        yield encoder.add(0, delta)
    yield encoder.end(Usage(3, 5))


class Reply(BaseHTTPRequestHandler):
    """Gives every request the stream that is set."""

    protocol_version = "HTTP/1.1"
    body: ClassVar[bytes] = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Reply) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def openai_client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=f"{url}/v1") as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="k", base_url=url) as client:
        yield client


@settings(max_examples=25)
@given(answers())
def test_openais_client_reads_an_answer_back(openai_client: openai.OpenAI, deltas: list[Delta]):
    whole = deltas[-1].completion.message
    Reply.body = b"".join(written(ChatStream("100% m", shows_usage=True), deltas))
    with openai_client.chat.completions.stream(model="m", messages=[]) as stream:
        thought = "".join(
            event.chunk.choices[0].delta.model_extra.get("reasoning_content", "")
            for event in stream
            if event.type == "chunk" and event.chunk.choices
        )
    final = stream.get_final_completion()
    message = final.choices[0].message
    assert (message.content or "") == whole.content
    assert thought == (whole.reasoning_content or "")
    assert [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or ()] == [
        (c.id, c.function.name, c.function.arguments) for c in whole.tool_calls or ()
    ]
    assert final.usage.total_tokens == 8
    assert final.model == "100% m"


@settings(max_examples=25)
@given(answers())
def test_anthropics_client_reads_an_answer_back(
    anthropic_client: anthropic.Anthropic, deltas: list[Delta]
):
    whole = deltas[-1].completion.message
    Reply.body = b"".join(written(MessageStream("m"), deltas))
    with anthropic_client.messages.stream(model="m", messages=[], max_tokens=9) as stream:
        final = stream.get_final_message()
    blocks = final.content
    assert "".join(b.text for b in blocks if b.type == "text") == whole.content
    thoughts = "".join(b.thinking for b in blocks if b.type == "thinking")
    assert thoughts == (whole.reasoning_content or "")
    assert [(b.id, b.name, b.input) for b in blocks if b.type == "tool_use"] == [
        (c.id, c.function.name, json.loads(c.function.arguments)) for c in whole.tool_calls or ()
    ]
    assert final.stop_reason == ("tool_use" if whole.tool_calls else "end_turn")
    assert (final.usage.input_tokens, final.usage.output_tokens) == (3, 5)


@settings(max_examples=25)
@given(answers())
def test_openais_client_reads_a_response_back(openai_client: openai.OpenAI, deltas: list[Delta]):
    whole = deltas[-1].completion.message
    query = Query("m", Conversation(messages=[Message(role=Role.USER, content="x")]))
    Reply.body = b"".join(written(ResponseStream(query, "m"), deltas))
    with openai_client.responses.stream(model="m", input="x") as stream:
        final = stream.get_final_response()
    assert final.output_text == whole.content
    thoughts = [item.content[0].text for item in final.output if item.type == "reasoning"]
    assert "".join(thoughts) == (whole.reasoning_content or "")
    calls = [item for item in final.output if item.type == "function_call"]
    assert [(c.call_id, c.name, c.arguments) for c in calls] == [
        (c.id, c.function.name, c.function.arguments) for c in whole.tool_calls or ()
    ]
    assert (final.status, final.usage.total_tokens) == ("completed", 8)
