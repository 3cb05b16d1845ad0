"""The calls of the guide, as they stand there: a chat, structured outputs, many workers."""

from __future__ import annotations

import json

import pytest

from oumi.core.configs import (
    GenerationParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.inference import LlamaCppInferenceEngine, OpenAIInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.guide import ProductInfo, extract_product

KEY = "sk-guide-0123456789"


@pytest.fixture
def api(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """The server as the one that the environment names."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return server


def last_request(api: FaultServer) -> tuple[dict[str, str], dict[str, object]]:
    """The headers, in lower case, and the body of the last request that came in."""
    seen = api.stats()["last"][-1]
    return {name.lower(): value for name, value in seen["headers"].items()}, json.loads(
        seen["body"]
    )


def test_a_chat():
    engine = LlamaCppInferenceEngine(
        model_params=ModelParams(model_name="oumi-tiny", torch_dtype="bfloat16")
    )
    conversation = Conversation(
        messages=[
            Message(role=Role.SYSTEM, content="You are a helpful coding assistant."),
            Message(role=Role.USER, content="How do I read a file in Python?"),
        ]
    )
    config = InferenceConfig(
        generation=GenerationParams(max_new_tokens=512, temperature=0.7, top_p=0.9)
    )
    with engine:
        result = engine.infer([conversation], config)
    assert len(conversation.messages) == 2
    assert [message.role for message in result[0].messages] == [
        Role.SYSTEM,
        Role.USER,
        Role.ASSISTANT,
    ]
    assert result[0].messages[-1].content


def test_structured_outputs(api: FaultServer):
    phone = ProductInfo(name="iPhone 15", price=999, features=["USB-C"], color="titanium")
    api.plan(message={"content": phone.model_dump_json()})
    model = ModelParams(model_name="gpt-4o-mini")
    engine, conversation, product = extract_product(OpenAIInferenceEngine, model)
    engine.close()
    assert conversation.parsed(ProductInfo) == product == phone
    assert conversation.metadata["structured"] == "native"
    headers, body = last_request(api)
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("gpt-4o-mini", 512, 0)
    schema = body["response_format"]["json_schema"]
    assert schema["schema"]["required"] == ["name", "price", "features", "color"]


def test_structured_outputs_on_this_machine():
    engine, conversation, product = extract_product(LlamaCppInferenceEngine, ModelParams())
    engine.close()
    assert conversation.parsed(ProductInfo) == product
    assert (product.name, product.price) == ("iPhone 15", 999)
    assert conversation.metadata["structured"] == "native"


def test_many_workers(api: FaultServer):
    api.plan(latency_ms=20)
    config = InferenceConfig(
        model=ModelParams(model_name="gpt-4"),
        remote_params=RemoteParams(max_retries=3, num_workers=4, politeness_policy=1.0),
    )
    engine = OpenAIInferenceEngine(model_params=config.model, remote_params=config.remote_params)
    with engine:
        result = engine.infer([ask(f"row-{i}") for i in range(12)])
    assert answers(result) == [f"answer to row-{i}" for i in range(12)]
    stats = api.stats(starts=True)
    assert 1 < stats["most_in_flight"] <= 4
    starts = stats["starts"]
    apart_s = [later - first for first, later in zip(starts, starts[4:], strict=False)]
    # The server counts arrivals, which a busy machine may delay.
    assert min(apart_s) > 0.5, "no more than four starts in any second"


def test_a_worker_tries_again(api: FaultServer):
    api.plan(scripts={"row-1": [{"kind": "status", "code": 500, "times": 3}]})
    config = InferenceConfig(
        model=ModelParams(model_name="gpt-4"),
        remote_params=RemoteParams(max_retries=3, num_workers=4, retry_backoff_base=0.01),
    )
    engine = OpenAIInferenceEngine(model_params=config.model, remote_params=config.remote_params)
    with engine:
        result = engine.infer([ask(f"row-{i}") for i in range(3)])
    assert answers(result) == [f"answer to row-{i}" for i in range(3)]
    assert api.stats()["rows"]["row-1"][0] == 4
