"""What Anthropic and Claude on Bedrock are told to cache: the bytes that a server saw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import message_create_params
from pydantic import TypeAdapter

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import ContentItem, Conversation, Message, Role, ToolDefinition, Type
from oumi.data.shared_prefix import PrefixMemory
from oumi.data.source import ListSource, Prefix
from oumi.inference import AnthropicInferenceEngine, BedrockInferenceEngine, InferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.remote.sdk_types import known_to, operation, problem
from tests.remote.talks import TOOL

MARK = {"type": "ephemeral"}
POINT = {"cachePoint": {"type": "default"}}
WHOLE = TypeAdapter(message_create_params.MessageCreateParamsNonStreaming)
SYSTEM = Message(role=Role.SYSTEM, content="You know the manual.")
LONG = "The fuse is on page 7. " * 50
EXAMPLE = [
    Message(role=Role.USER, content=LONG),
    Message(role=Role.ASSISTANT, content="Page 7."),
]
CLAUDE, HAIKU, LLAMA = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
)


@pytest.fixture
def claude(server: FaultServer) -> Iterator[AnthropicInferenceEngine]:
    with make(server) as engine:
        yield engine


def make(
    server: FaultServer, kwargs: dict[str, Any] | None = None, **remote: Any
) -> AnthropicInferenceEngine:
    return AnthropicInferenceEngine(
        ModelParams(model_name="claude-opus-5-5", model_kwargs=kwargs or {}),
        remote_params=RemoteParams(api_url=server.url, api_key="k", num_workers=1, **remote),
    )


def bodies(server: FaultServer) -> list[dict[str, Any]]:
    """The bodies that the server saw, the first one first."""
    return [json.loads(seen["body"]) for seen in server.stats()["last"]]


def user(content: Any) -> Message:
    return Message(role=Role.USER, content=content)


def talk(*messages: Message, tools: list[ToolDefinition] | None = None) -> Conversation:
    return Conversation(messages=list(messages), tools=tools)


def text(content: str, *, marked: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": content} | ({"cache_control": MARK} if marked else {})


def marks(value: Any) -> int:
    return json.dumps(value).count("cache_control")


def test_tools_and_system_prompt_are_marked_and_a_question_of_its_own_is_not(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    other = ToolDefinition.model_validate({"name": "get_weather"})
    claude.infer([talk(SYSTEM, user("row-1"), tools=[TOOL, other])])
    [body] = bodies(server)
    assert body["system"] == [text("You know the manual.", marked=True)]
    assert [tool.get("cache_control") for tool in body["tools"]] == [None, MARK]
    assert body["messages"] == [{"role": "user", "content": "row-1"}]
    assert known_to(WHOLE, body) == body


@pytest.mark.parametrize("from_file", [False, True])
def test_messages_that_rows_share_are_marked_where_they_end(
    server: FaultServer, claude: AnthropicInferenceEngine, write_jsonl, from_file: bool
):
    alike = [talk(SYSTEM, *EXAMPLE, user(f"row-{i}")) for i in range(3)]
    rows = [alike[0], talk(user("row-9")), *alike[1:]]
    if from_file:
        claude.infer(None, InferenceConfig(input_path=str(write_jsonl(rows))))
    else:
        claude.infer(rows)
    shared, alone, *others = bodies(server)
    for body in (shared, *others):
        question, answer, last = body["messages"]
        assert question["content"] == LONG
        assert answer["content"] == [text("Page 7.", marked=True)]
        assert marks(last) == 0
        assert known_to(WHOLE, body) == body
    assert marks(alone) == 0


def test_parts_that_rows_share_are_marked(server: FaultServer, claude: AnthropicInferenceEngine):
    manual = ContentItem(type=Type.TEXT, content=LONG)
    rows = [talk(user([manual, item])) for item in (part("row-1"), part("row-2"))]
    claude.infer(rows)
    for body, row in zip(bodies(server), ("row-1", "row-2"), strict=True):
        assert body["messages"][0]["content"] == [text(manual.content, marked=True), text(row)]


def part(content: str) -> ContentItem:
    return ContentItem(type=Type.TEXT, content=content)


def test_a_document_that_rows_share_is_marked_and_a_short_text_is_not(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    pdf = ContentItem(type=Type.PDF_BINARY, binary=b"%PDF-1.7\n")
    hello = user("Hello")
    for shared in ([user([pdf, part("row-0")])], [hello, EXAMPLE[1]]):
        claude.infer([talk(*shared, user(f"row-{i}")) for i in range(1, 3)])
    *documents, short, _ = bodies(server)
    for body in documents:
        assert body["messages"][0]["content"][1] == text("row-0", marked=True)
    assert marks(short) == 0


def test_a_chat_that_goes_on_is_cached_up_to_what_was_sent_before(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    chat = claude.infer([talk(user(f"row-1 {LONG}"))])[0]
    chat = chat.model_copy(update={"messages": [*chat.messages, user("and?")]})
    answer = list(claude.stream(chat))[-1].completion.message
    list(claude.stream([*chat.messages, answer, user("and?")]))
    first, second, third = bodies(server)
    assert marks(first) == 0
    assert second["messages"][0]["content"] == [text(f"row-1 {LONG}", marked=True)]
    assert marks(second) == marks(third) == 1
    assert third["messages"][2]["content"] == [text("and?", marked=True)]


def test_thoughts_and_empty_texts_take_no_mark(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    thoughts = [
        {"type": "text", "text": "Page 7."},
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
    ]
    thinking = Message(role=Role.ASSISTANT, content="Page 7.", content_blocks=thoughts)
    empty = Message(role=Role.ASSISTANT, content="")
    system = Message(role=Role.SYSTEM, content="")
    claude.infer([talk(system, EXAMPLE[0], thinking, empty, user(f"row-{i}")) for i in range(2)])
    for body in bodies(server):
        assert body["messages"][0]["content"] == [text(LONG, marked=True)]
        assert marks(body) == 1


def by_caller() -> list[tuple[dict[str, Any], list[Conversation]]]:
    """Settings and rows with a mark of the caller's at each place that may hold one."""
    search = {"type": "web_search_20260209", "name": "web_search", "cache_control": MARK}
    marked = user("row-1").model_copy(update={"cache_control": MARK})
    item = ContentItem(type=Type.TEXT, content="row-1", cache_control=MARK)
    tool = ToolDefinition.model_validate({"name": "add", "cache_control": MARK})
    plain = talk(SYSTEM, user("row-1"))
    return [
        ({"cache_control": MARK}, [plain]),
        ({"tools": [search]}, [plain]),
        ({}, [talk(SYSTEM, marked)]),
        ({}, [talk(SYSTEM, user([item]))]),
        ({}, [talk(SYSTEM, user("row-1"), tools=[tool, TOOL])]),
    ]


@pytest.mark.parametrize(("kwargs", "rows"), by_caller())
def test_marks_of_the_caller_stay_the_only_ones(
    server: FaultServer, kwargs: dict[str, Any], rows: list[Conversation]
):
    with make(server, kwargs) as engine:
        engine.infer([*rows, *rows])
    assert [marks(body) for body in bodies(server)] == [1, 1]


def test_a_setting_switches_it_off_and_the_rows_keep_their_answers(
    server: FaultServer, tmp_path: Path
):
    rows = [talk(SYSTEM, *EXAMPLE, user(f"row-{i}")) for i in range(2)]
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with make(server, prompt_caching=False) as engine:
        engine.infer(rows, output)
    assert [marks(body) for body in bodies(server)] == [0, 0]
    with make(server) as engine:
        engine.infer([*rows, talk(user("row-9"))], output)
    assert server.stats()["requests"] == 3
    assert marks((tmp_path / "out.jsonl").read_text()) == 0


def test_lines_of_a_batch_have_the_same_marks(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    rows = [talk(SYSTEM, *EXAMPLE, user(f"row-{i}")) for i in range(2)]
    claude.infer_batch(rows)
    with make(server) as online:
        online.infer(rows)
    seen = bodies(server)[-2:]
    batch = next(body for body in reversed(bodies(server)) if "requests" in body)
    assert [request["params"] for request in batch["requests"]] == seen
    assert marks(seen) == 4


def bedrock(server: FaultServer, model: str, monkeypatch: pytest.MonkeyPatch) -> InferenceEngine:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "k")
    remote = RemoteParams(api_url=server.url, num_workers=1)
    return BedrockInferenceEngine(ModelParams(model_name=model), remote_params=remote)


@pytest.mark.parametrize("model", [CLAUDE, HAIKU, LLAMA])
def test_cache_points_of_bedrock_where_the_model_takes_them(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, model: str
):
    rows = [talk(SYSTEM, *EXAMPLE, user(f"row-{i}"), tools=[TOOL]) for i in range(2)]
    with bedrock(server, model, monkeypatch) as engine:
        engine.infer(rows)
    points = [POINT] if model == CLAUDE else []
    for body in bodies(server):
        assert body["system"] == [{"text": "You know the manual."}, *points]
        assert body["messages"][1]["content"] == [{"text": "Page 7."}, *points]
        assert body["toolConfig"]["tools"][1:] == points
        assert not problem({"modelId": model, **body}, operation("Converse").input_shape)


def test_bedrock_is_sent_no_point_for_an_empty_system_prompt(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
):
    with bedrock(server, CLAUDE, monkeypatch) as engine:
        engine.infer([talk(Message(role=Role.SYSTEM, content=""), user("row-1"))])
    assert "cachePoint" not in json.dumps(bodies(server))


def usage_reply() -> dict[str, Any]:
    usage = {"input_tokens": 100, "output_tokens": 10}
    cache = {"cache_read_input_tokens": 2_000, "cache_creation_input_tokens": 3_000}
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Page 7."}],
        "stop_reason": "end_turn",
        "usage": usage | cache,
    }


def test_tokens_written_to_the_cache_are_counted_and_priced_apart(
    server: FaultServer, claude: AnthropicInferenceEngine, tmp_path: Path
):
    server.plan(faults=[{"kind": "raw", "body": json.dumps(usage_reply()), "times": None}])
    path = tmp_path / "out.jsonl"
    [answer] = claude.infer([ask("row-1")], InferenceConfig(output_path=str(path)))
    tokens = {
        "prompt_tokens": 5_100,
        "completion_tokens": 10,
        "cached_tokens": 2_000,
        "cache_creation_tokens": 3_000,
        "total_tokens": 5_110,
    }
    assert answer.metadata["usage"] == tokens
    run = json.loads((tmp_path / "out.jsonl.run.json").read_text())
    assert run["usage"] == run["last_session"]["usage"] == tokens
    # $4 a million tokens, a twentieth of that to read, a quarter more to write, and $20 for answers
    assert run["cost_usd"] == pytest.approx(
        (100 * 4 + 2_000 * 0.2 + 3_000 * 5 + 10 * 20) / 1e6, abs=1e-6
    )


def test_what_is_shared_is_forgotten_when_the_cache_has_forgotten_it():
    now_s = 0.0
    memory = PrefixMemory(lambda: now_s)

    def shared(*rows: Conversation) -> list[Prefix]:
        return [row.shared for row in memory.rows(ListSource(rows))]

    chat = talk(*EXAMPLE, user("row-1"))
    assert shared(chat, chat) == [Prefix(3), Prefix(3)]
    now_s = 299.0
    assert shared(talk(*EXAMPLE, user("row-2"))) == [Prefix(2)]
    now_s = 299.0 + 301.0
    assert shared(talk(*EXAMPLE, user("row-3"))) == [Prefix()]
    tools = talk(*EXAMPLE, user("row-3"), tools=[TOOL])
    assert shared(tools) == [Prefix()]  # tools come first in a prompt
