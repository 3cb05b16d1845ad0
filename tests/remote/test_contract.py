"""What every engine behind an API does alike, over all rows.

The server is a process of its own, which speaks the dialect that the path of a request asks for.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oumi.backends.provider import Provider
from oumi.backends.registry import find_engine
from oumi.backends.remote.dialects import load_dialect
from oumi.backends.remote.providers import PROVIDERS
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import (
    ContentItem,
    Conversation,
    Delta,
    FinishReason,
    Message,
    Role,
    Type,
)
from oumi.errors import (
    AccessError,
    InferenceError,
    ModelNotFoundError,
    UnavailableError,
    UnsupportedError,
)
from oumi.inference import RemoteInferenceEngine
from oumi.inference.build import load_class
from oumi.runner.request import Request
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.fault_server.forms import find_form
from tests.fault_server.plan import parse_plan
from tests.remote.replies import REPLIES, ErrorReply
from tests.remote.rows import ROWS, api_of, row_id
from tests.remote.talks import OTHER_WORDS, PNG, SCHEMA, SETTINGS, TOOL

KEY = "sk-very-secret-0123456789"
MODEL = "m"
NAMED = InferenceConfig(model=ModelParams(model_name=MODEL))
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "add", "arguments": '{"a": 1}'},
}
Make = Callable[..., RemoteInferenceEngine]


@pytest.fixture(params=ROWS, ids=row_id)
def row(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Provider:
    for names in request.param.url_parts.values():
        monkeypatch.setenv(names[0], "eu-central-1")
    return request.param


@pytest.fixture
def make(row: Provider, server: FaultServer) -> Iterator[Make]:
    opened = []

    def build(**remote: Any) -> RemoteInferenceEngine:
        quick = {"retry_backoff_base": 0.01, "connection_timeout": 5.0, "api_key": KEY}
        api_url = server.url if row.url else server.api_url
        engine = load_class(find_engine(row.name))(
            ModelParams(model_name=MODEL),
            remote_params=RemoteParams(**{"api_url": api_url, **quick, **api_of(row), **remote}),
        )
        opened.append(engine)
        return engine

    yield build
    for engine in opened:
        engine.close()


def config_of(**generation: Any) -> InferenceConfig:
    return InferenceConfig(
        model=ModelParams(model_name=MODEL), generation=GenerationParams(**generation)
    )


def talk(*messages: Message, **fields: Any) -> Conversation:
    return Conversation(messages=list(messages), **fields)


def user(content: Any) -> Message:
    return Message(role=Role.USER, content=content)


def last_body(server: FaultServer) -> str:
    return server.stats()["last"][-1]["body"]


def plan(server: FaultServer, said: ErrorReply) -> None:
    server.plan(faults=[said.fault])


def test_every_provider_has_replies():
    missing = {row.name for row in PROVIDERS} ^ REPLIES.keys()
    assert not missing, f"tests/remote/replies.py: add what {missing} reply, or `Replies()`"


def test_plain_chat(row: Provider, make: Make, server: FaultServer):
    engine = make()
    [answered] = engine.infer([ask("row-1")])
    assert answered.messages[-1].content == "answer to row-1"
    assert answered.metadata["finish_reason"] == FinishReason.STOP
    assert answered.metadata["usage"]["completion_tokens"] > 0
    seen = server.stats()["last"][-1]
    key = f"Bearer {KEY}" if row.key_header == "authorization" else KEY
    assert seen["headers"][row.key_header] == key
    assert seen["headers"].items() >= dict(row.headers).items()
    base, path = engine.session().address.bases[0], load_dialect(row.dialect).path(config_of())
    assert server.url + seen["path"] == base + path
    assert MODEL in seen["path"] or f'"{MODEL}"' in seen["body"]


def test_a_system_prompt(make: Make, server: FaultServer):
    prompt = Message(role=Role.SYSTEM, content="Be very brief.")
    [answered] = make().infer([talk(prompt, user("row-1"))])
    assert answered.messages[-1].content == "answer to row-1"
    assert "Be very brief." in last_body(server)


def test_a_tool_is_called_and_answers(make: Make, server: FaultServer):
    server.plan(message={"content": None, "tool_calls": [CALL]}, finish_reason="tool_calls")
    engine = make()
    [asked] = engine.infer([talk(user("row-1"), tools=[TOOL])])
    [call] = asked.messages[-1].tool_calls
    assert (call.id, call.function.name) == ("call_1", "add")
    assert call.function.get_arguments_dict() == {"a": 1}
    assert asked.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    server.plan()
    result = Message(role=Role.TOOL, content="forty-two", tool_call_id=call.id)
    [answered] = engine.infer([talk(*asked.messages, result, tools=[TOOL])])
    assert answered.messages[-1].content == "answer to row-1"
    body = last_body(server)
    assert body.count("call_1") == 2
    assert "forty-two" in body


def test_an_image(row: Provider, make: Make, server: FaultServer):
    items = [
        ContentItem(type=Type.TEXT, content="row-1"),
        ContentItem(type=Type.IMAGE_BINARY, binary=PNG),
    ]
    if not row.supports_images:
        with pytest.raises(InferenceError, match=f"{row.name} takes no images"):
            make().infer([talk(user(items))])
        assert server.stats()["requests"] == 0
        return
    make().infer([talk(user(items))])
    assert base64.b64encode(PNG).decode() in last_body(server)


def test_a_schema(row: Provider, make: Make, server: FaultServer):
    server.plan(message={"content": '{"sum_of_both": 3}'})
    asked = config_of(guided_decoding=GuidedDecodingParams(json=SCHEMA))
    [answered] = make().infer([ask("row-1")], asked)
    assert answered.messages[-1].content.replace(" ", "") == '{"sum_of_both":3}'
    assert "sum_of_both" in last_body(server)


@pytest.mark.parametrize("form", [{"choice": ["red", "blue"]}, {"regex": "r[a-z]+"}], ids=str)
def test_a_choice_and_an_expression(
    row: Provider, make: Make, server: FaultServer, form: dict[str, Any]
):
    """As a schema or in words, whatever the API takes; the answer is bare text."""
    asked = config_of(guided_decoding=GuidedDecodingParams(**form))
    adapted = load_dialect(row.dialect).adapted(asked.merge(NAMED), row)
    said = "red"
    if adapted is not None and adapted.schema is not None:
        wrapped = adapted.schema["type"] == "object"
        said = '{"value": "red"}' if wrapped else '"red"'
    server.plan(message={"content": said})
    [answered] = make().infer([ask("row-1")], asked)
    assert answered.messages[-1].content == "red"
    assert next(iter(form.values()))[0] in last_body(server)


def test_each_setting_that_it_honours_is_sent(row: Provider, make: Make, server: FaultServer):
    for name, (value, sent) in SETTINGS.items():
        if f"generation.{name}" in row.supports:
            make().infer([talk(user("row-1"), tools=[TOOL])], config_of(**{name: value}))
            sent = OTHER_WORDS.get((row.name, name), sent)
            assert sent in last_body(server).replace(" ", ""), name


def test_a_setting_that_it_does_not_honour_is_refused(
    row: Provider, make: Make, server: FaultServer
):
    for name, (value, _) in SETTINGS.items():
        if f"generation.{name}" not in row.supports:
            with pytest.raises(
                UnsupportedError, match=f"{row.name} cannot honour generation.{name}"
            ):
                make().infer([ask("row-1")], config_of(**{name: value}))
    assert server.stats()["requests"] == 0


def test_a_stream(row: Provider, make: Make, server: FaultServer):
    own = () if api_of(row) else REPLIES[row.name].stream
    server.plan(piece_bytes=5, events=list(own))
    pieces = list(make().stream(ask("row-1")))
    assert "".join(piece.content for piece in pieces) == "answer to row-1"
    assert pieces[-1].completion.message.content == "answer to row-1"
    assert pieces[-1].completion.usage.completion_tokens > 0


def test_a_stream_cut_at_every_byte_is_the_same_stream(row: Provider):
    dialect, config = load_dialect(row.dialect), config_of()
    body = dialect.encode(
        Request(ask("row-1"), config), dialect.shared_body(config, row), stream=True
    )
    form = find_form(b"POST", dialect.path(config, stream=True).encode())
    stream = b"".join(form.bodies.events("row-1", body, parse_plan({})))

    def read(pieces: list[bytes]) -> list[Delta]:
        decoder = dialect.stream_decoder(config)
        return [delta for piece in pieces for delta in decoder.feed(piece)] + [decoder.last()]

    whole = read([stream])
    assert "".join(delta.content for delta in whole) == "answer to row-1"
    assert read([stream[i : i + 1] for i in range(len(stream))]) == whole
    for cut in range(1, len(stream)):
        assert read([stream[:cut], stream[cut:]]) == whole


def test_a_bad_key_stops_the_run(row: Provider, make: Make, server: FaultServer):
    plan(server, REPLIES[row.name].bad_key)
    with pytest.raises(AccessError, match=f"{row.name} answered 4.*remote_params.api_key") as it:
        make(num_workers=1).infer([ask(f"row-{i}") for i in range(5)])
    assert KEY not in str(it.value)
    assert server.stats()["requests"] <= 2


def test_an_unknown_model_stops_the_run(row: Provider, make: Make, server: FaultServer):
    plan(server, REPLIES[row.name].no_model)
    with pytest.raises(ModelNotFoundError, match=r"model\.model_name"):
        make(num_workers=1).infer([ask(f"row-{i}") for i in range(5)])
    assert server.stats()["requests"] <= 2


def test_a_limit_says_how_long_to_wait(row: Provider, make: Make, server: FaultServer):
    plan(server, REPLIES[row.name].too_many)
    with pytest.raises(UnavailableError) as caught:
        list(make(max_retries=0).stream(ask("row-1")))
    assert (caught.value.status, caught.value.wait_s) == (429, 7.0)
    assert caught.value.overload


@pytest.mark.parametrize("kind", ["status", "malformed", "truncated_json"])
def test_what_may_pass_is_tried_again(make: Make, server: FaultServer, kind: str):
    server.plan(faults=[{"kind": kind}])  # a status of 500
    [answered] = make().infer([ask("row-1")])
    assert answered.messages[-1].content == "answer to row-1"
    assert server.stats()["rows"]["row-1"] == [2, 1]


def test_models_are_listed(row: Provider, make: Make, server: FaultServer):
    server.plan(models=["a", "b"])
    if row.lists_models:
        assert make().list_models() == ["a", "b"]
        assert server.stats()["last"][-1]["method"] == "GET"
    else:
        assert make().list_models() == ["m"]
