"""`remote_params.user_id`: in the field that each API has for it, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import UnsupportedError
from oumi.inference import (
    AnthropicInferenceEngine,
    InferenceEngine,
    MistralInferenceEngine,
    OpenAIInferenceEngine,
)
from tests.conftest import ask
from tests.fault_server import FaultServer


def make(server: FaultServer, kind: type, user_id: str = "u-1", **model: object) -> InferenceEngine:
    remote = RemoteParams(api_url=server.api_url, api_key="k", user_id=user_id)
    return kind(ModelParams("claude-sonnet-4-5", **model), remote_params=remote)


def bodies(server: FaultServer) -> list[dict]:
    return [json.loads(one["body"]) for one in server.stats()["last"]]


def test_openai_and_its_streams(server: FaultServer):
    with make(server, OpenAIInferenceEngine) as engine:
        engine.infer([ask("row-1")])
        list(engine.stream(ask("row-2")))
    assert [body["user"] for body in bodies(server)] == ["u-1", "u-1"]


def test_the_responses_api(server: FaultServer):
    remote = RemoteParams(api_url=server.api_url, api_key="k", user_id="u-1", api="responses")
    with OpenAIInferenceEngine(ModelParams("gpt-5"), remote_params=remote) as engine:
        engine.infer([ask("row-1")])
    assert bodies(server)[0]["user"] == "u-1"


def test_anthropic_has_it_among_metadata(server: FaultServer):
    with make(server, AnthropicInferenceEngine, model_kwargs={"metadata": {"a": "b"}}) as engine:
        engine.infer([ask("row-1")])
    assert bodies(server)[0]["metadata"] == {"user_id": "u-1", "a": "b"}


def test_model_kwargs_win(server: FaultServer):
    with make(server, OpenAIInferenceEngine, model_kwargs={"user": "mine"}) as engine:
        engine.infer([ask("row-1")])
    assert bodies(server)[0]["user"] == "mine"


def test_others_refuse_it(server: FaultServer):
    with pytest.raises(UnsupportedError, match=r"MISTRAL cannot honour .*user_id.*OPENAI"):
        make(server, MistralInferenceEngine)


def test_another_user_asks_for_no_row_again(server: FaultServer, tmp_path: Path):
    config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    for user in ("u-1", "u-2"):
        with make(server, OpenAIInferenceEngine, user) as engine:
            engine.infer([ask("row-1")], config)
    assert server.stats()["requests"] == 1
