"""Answers in the shape of an API become answers of the schema that was asked for."""

from __future__ import annotations

import json
from typing import Any

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.core.configs import RemoteParams as Remote
from oumi.inference import DeepSeekInferenceEngine, FireworksInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.structured.home import HOME_AS_SENT, Home
from tests.structured.pieces import INT, obj
from tests.structured.scripts import bodies, engine, reply


def settings(**form: Any) -> InferenceConfig:
    guided = GuidedDecodingParams(**form, max_repairs=0)
    return InferenceConfig(generation=GenerationParams(guided_decoding=guided))


def test_an_engine_hands_out_what_was_asked_for(server: FaultServer):
    server.plan(scripts={"row-0": [reply(json.dumps(HOME_AS_SENT))]})
    with engine(server) as opened:
        [answer] = opened.infer([ask("row-0")], settings(json=Home))
    home = answer.parsed(Home)
    assert (home.place, home.tools, home.size) == ((1.5, 2), {"a": "saw", "b": "hammer"}, 3)
    assert answer.metadata["structured"] == "native"
    [body] = bodies(server)
    assert body["response_format"]["json_schema"]["strict"]


def test_what_a_provider_does_not_keep_is_checked_here(server: FaultServer):
    server.plan(scripts={"row-0": [reply(json.dumps({**HOME_AS_SENT, "name": "A"}))]})
    with engine(server) as opened:
        result = opened.infer_partial([ask("row-0")], settings(json=Home))
    assert '/name: "A" is shorter than 2' in result.error_messages[0]


def test_a_stream_ends_with_what_was_asked_for(server: FaultServer):
    server.plan(scripts={"row-0": [reply('{"value": "red"}')]})
    with engine(server) as opened:
        *_, last = opened.stream(ask("row-0"), settings(choice=["red", "blue"]))
    assert last.completion.message.content == "red"


def test_a_schema_stands_in_the_prompt_where_an_api_has_no_field_for_it(server: FaultServer):
    server.plan(message={"content": '{"a": 3}'})
    params = ModelParams(model_name="m")
    remote = Remote(api_url=server.api_url, api_key="sk-test")
    with DeepSeekInferenceEngine(params, remote_params=remote) as deepseek:
        deepseek.infer([ask("Hi")], settings(json=obj({"a": INT})))
    with FireworksInferenceEngine(params, remote_params=remote) as fireworks:
        fireworks.infer([ask("Hi")], settings(json=obj({"a": INT})))
    prompt_only, both = bodies(server)
    assert prompt_only["response_format"] == {"type": "json_object"}
    assert both["response_format"]["type"] == "json_schema"
    for body in (prompt_only, both):
        assert '"properties":{"a":' in body["messages"][0]["content"]
        assert body["messages"][-1]["content"] == "Hi"
