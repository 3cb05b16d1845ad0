"""`model.chat_template` where an API is asked: what REMOTE_VLLM sends, and what never leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oumi.backends.remote.http.call import Call, Reply
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import ConfigError, UnsupportedError
from oumi.inference import (
    OpenAIInferenceEngine,
    RemoteVLLMInferenceEngine,
    SGLangInferenceEngine,
)
from tests.conftest import ask
from tests.remote.test_chat_replies import reply

REMOTE = RemoteParams(api_url="http://localhost:1/v1", api_key="k")
NO_SYSTEM = "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"


class Recorder:
    """A transport that keeps what it was to send, and says hello."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def send(self, call: Call) -> Reply:
        self.bodies.append(json.loads(call.body))
        return Reply(200, {}, reply())

    async def close(self) -> None:
        pass


def sent(engine_class: type, row: Conversation, template: str) -> dict[str, Any]:
    """The body of the request for a row."""
    recorder = Recorder()
    model = ModelParams(model_name="m", chat_template=template)
    with engine_class(model, remote_params=REMOTE, transport=recorder) as engine:
        engine.infer([row])
    [body] = recorder.bodies
    return body


def test_a_server_is_sent_the_text_of_a_named_template():
    body = sent(RemoteVLLMInferenceEngine, ask("Hi"), "llama3-instruct")
    assert "'<|start_header_id|>' + message.role" in body["chat_template"]


@pytest.mark.parametrize(
    "engine", [RemoteVLLMInferenceEngine, SGLangInferenceEngine, OpenAIInferenceEngine]
)
def test_every_engine_takes_the_models_own_template(engine: type):
    assert "chat_template" not in sent(engine, ask("Hi"), "auto")


def test_an_engine_that_takes_no_template_refuses_a_named_one():
    with pytest.raises(UnsupportedError, match=r"model\.chat_template; engines that can: .*VLLM"):
        sent(OpenAIInferenceEngine, ask("Hi"), "chat_ml")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("chatml", "did you mean 'chat_ml'"),
        ("{{ question }}", "different conversations to the same text"),
        ("{% for m in messages %}", r"model\.chat_template: wrong syntax in line 1"),
    ],
)
def test_what_is_no_template_is_refused_before_anything_is_sent(template: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        sent(RemoteVLLMInferenceEngine, ask("Hi"), template)


def test_settings_of_a_call_are_tried_out_too():
    recorder = Recorder()
    with RemoteVLLMInferenceEngine(
        ModelParams(model_name="m"), remote_params=REMOTE, transport=recorder
    ) as engine:
        config = InferenceConfig(model=ModelParams(chat_template="zephyr"))
        engine.infer([ask("Hi")], config)
        with pytest.raises(ConfigError, match="different conversations"):
            engine.infer([ask("Hi")], InferenceConfig(model=ModelParams(chat_template="{{ x }}")))
    [body] = recorder.bodies
    assert "zephyr" in body["chat_template"]


def test_system_messages_are_the_users_where_a_template_has_no_system_role():
    row = Conversation(
        messages=[
            Message(role=Role.SYSTEM, content="Be kind"),
            Message(role=Role.USER, content="Hi"),
        ]
    )
    body = sent(RemoteVLLMInferenceEngine, row, NO_SYSTEM)
    assert body["messages"] == [{"role": "user", "content": "Be kind\n\nHi"}]
    kept = sent(RemoteVLLMInferenceEngine, row, "chat_ml")
    assert [message["role"] for message in kept["messages"]] == ["system", "user"]
