"""What an engine says of itself: its models, its settings, and the prompts that it makes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oumi.core.configs import Api, GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import EngineError, OumiError, UnsupportedError
from oumi.inference import (
    AnthropicInferenceEngine,
    BedrockInferenceEngine,
    InferenceEngine,
    LlamaCppInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
)
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.remote.talks import SETTINGS, TOOL

PROMPT = "<|im_start|>user\nWhat is 2+2?<|im_end|>\n"
START = "<|im_start|>assistant\n"
FEW = {"n_parallel": 1, "n_threads": 1}


def remote(server: FaultServer, kind: type = RemoteInferenceEngine, **fields: Any) -> Any:
    params = RemoteParams(api_url=server.url, api_key="k", **fields)
    return kind(ModelParams(model_name="own"), remote_params=params)


def listed(server: FaultServer, *models: dict[str, Any]) -> None:
    body = json.dumps({"object": "list", "data": models})
    server.plan(faults=[{"kind": "raw", "body": body, "times": None}])


def test_a_local_engine_lists_the_model_that_it_holds(engine: LlamaCppInferenceEngine):
    assert engine.list_models() == ["oumi-tiny"]
    assert engine.list_models(chat_only=False) == ["oumi-tiny"]


@pytest.mark.parametrize(
    ("models", "chat"),
    [
        (
            [
                "gpt-5.5",
                "text-embedding-3-large",
                "whisper-1",
                "tts-1-hd",
                "omni-moderation-latest",
            ],
            ["gpt-5.5"],
        ),
        (["dall-e-3", "davinci-002", "o3", "gpt-image-1", "sora-2"], ["o3"]),
        (["gpt-4o-transcribe", "gpt-4o-mini-tts", "gpt-realtime", "gpt-4o"], ["gpt-4o"]),
        (["whisper-large-v3", "playai-tts-arabic", "llama-3.3-70b"], ["llama-3.3-70b"]),
        (["models/gemini-embedding-001", "models/gemini-2.5-pro"], ["models/gemini-2.5-pro"]),
        (
            ["Settsu-7B", "embedded-llama", "my/whisperer"],
            ["Settsu-7B", "embedded-llama", "my/whisperer"],
        ),
    ],
)
def test_models_that_do_not_chat_are_left_out_by_their_names(
    server: FaultServer, models: list[str], chat: list[str]
):
    listed(server, *({"id": name, "object": "model"} for name in models))
    with remote(server) as engine:
        assert engine.list_models() == chat
        assert engine.list_models(chat_only=False) == models


@pytest.mark.parametrize(
    "fact",
    [
        lambda chats: {"type": "chat" if chats else "embedding"},
        lambda chats: {"supports_chat": chats},
        lambda chats: {"capabilities": {"completion_chat": chats, "vision": True}},
        lambda chats: {"architecture": {"output_modalities": ["text"] if chats else ["image"]}},
    ],
    ids=["together", "fireworks", "mistral", "openrouter"],
)
def test_what_the_list_says_of_a_model_goes_before_its_name(server: FaultServer, fact: Any):
    listed(server, {"id": "embed-and-chat", **fact(True)}, {"id": "a", **fact(False)})
    with remote(server) as engine:
        assert engine.list_models() == ["embed-and-chat"]


def test_models_of_bedrock_that_answer_in_text(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "k")
    models = [
        {"modelId": "amazon.nova-pro-v1:0", "outputModalities": ["TEXT"]},
        {"modelId": "amazon.titan-embed-text-v2:0", "outputModalities": ["EMBEDDING"]},
    ]
    body = json.dumps({"modelSummaries": models})
    server.plan(faults=[{"kind": "raw", "body": body, "times": None}])
    with remote(server, BedrockInferenceEngine) as engine:
        assert engine.list_models() == ["amazon.nova-pro-v1:0"]
        assert len(engine.list_models(chat_only=False)) == 2


def test_supported_params_are_those_that_no_call_refuses(
    server: FaultServer, engine: LlamaCppInferenceEngine
):
    engines: list[InferenceEngine] = [
        engine,
        remote(server, OpenAIInferenceEngine),
        remote(server, OpenAIInferenceEngine, api=Api.RESPONSES),
        remote(server, AnthropicInferenceEngine),
        remote(server),
    ]
    found = [one.get_supported_params() for one in engines]
    for one, names in zip(engines, found, strict=True):
        assert names <= GenerationParams.model_fields.keys()
        assert {"temperature", "max_new_tokens", "guided_decoding", "tool_choice"} <= names
        for name, (value, _) in SETTINGS.items():
            assert is_refused(one, name, value) == (name not in names), (one.name, name)
    assert found[1] > found[2]
    assert "top_k" in found[3]
    assert "seed" not in found[3]


def is_refused(engine: InferenceEngine, name: str, value: Any) -> bool:
    try:
        engine.session(InferenceConfig(generation=GenerationParams(**{name: value})))
    except UnsupportedError:
        return True
    return False


def test_the_prompt_that_the_model_is_given(engine: LlamaCppInferenceEngine):
    asked = engine.asked
    assert engine.apply_chat_template(ask("What is 2+2?")) == PROMPT + START
    assert engine.apply_chat_template("What is 2+2?", tokenize=False) == PROMPT + START
    assert engine.apply_chat_template("What is 2+2?", add_generation_prompt=False) == PROMPT
    system = Message(role=Role.SYSTEM, content="Be brief.")
    talk = Conversation(messages=[system, *ask("Hi").messages], tools=[TOOL])
    prompt = engine.apply_chat_template(talk)
    assert "Be brief." in prompt
    assert '"add"' in prompt
    assert engine.asked == asked


def test_the_prompt_of_a_template_of_ones_own():
    template = "{% for m in messages %}[{{ m.content }}]{% endfor %}{{ closing }}"
    kwargs = {"closing": "."}
    params = ModelParams(chat_template=template, chat_template_kwargs=kwargs, model_kwargs=FEW)
    with LlamaCppInferenceEngine(params) as engine:
        assert engine.apply_chat_template("Hi") == "[Hi]."
        assert engine.apply_chat_template("Hi", closing="!") == "[Hi]!"
        assert engine.infer(["Hi"], InferenceConfig(generation=GenerationParams(max_new_tokens=1)))
    with pytest.raises(EngineError, match="closed"):
        engine.apply_chat_template("Hi")


def test_a_prompt_that_cannot_be_made(engine: LlamaCppInferenceEngine):
    with pytest.raises(UnsupportedError, match="tokenize"):
        engine.apply_chat_template("Hi", tokenize=True)
    refuses = (
        "{% for m in messages %}{{ raise_exception('no Hi') if m.content == 'Hi' }}{{ m.content }}"
        "{% endfor %}"
    )
    with (
        LlamaCppInferenceEngine(ModelParams(chat_template=refuses, model_kwargs=FEW)) as strict,
        pytest.raises(OumiError, match="no Hi"),
    ):
        strict.apply_chat_template("Hi")


def test_an_api_applies_its_template_itself(server: FaultServer):
    with (
        remote(server, OpenAIInferenceEngine) as engine,
        pytest.raises(UnsupportedError, match=r"OPENAI: .*LLAMACPP, NATIVE, VLLM"),
    ):
        engine.apply_chat_template("Hi")
    assert server.stats()["requests"] == 0
