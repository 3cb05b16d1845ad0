"""Headers of the user's own: what is sent, what is refused, where values are not shown."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from oumi.cli.overrides import mask_keys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import AccessError, ConfigError
from oumi.inference import (
    AnthropicInferenceEngine,
    DeepSeekInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
)
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

SECRET = "gateway-secret-0123"
HEADERS = {"X-Tenant": "blue", "X-Gateway-Key": SECRET}


def make(
    server: FaultServer, kind: type = RemoteInferenceEngine, **fields: Any
) -> RemoteInferenceEngine:
    usual = {"api_url": server.api_url, "api_key": "k", "headers": HEADERS}
    return kind(ModelParams(model_name="m"), remote_params=RemoteParams(**{**usual, **fields}))


def seen(server: FaultServer) -> dict[str, str]:
    return server.stats()["last"][-1]["headers"]


def test_they_are_sent_with_each_request(server: FaultServer):
    with make(server) as engine:
        for act in (
            lambda: engine.infer([ask("row-1")]),
            lambda: list(engine.stream(ask("row-1"))),
            engine.list_models,
        ):
            act()
            sent = seen(server)
            assert (sent["x-tenant"], sent["x-gateway-key"]) == ("blue", SECRET)
            assert sent["authorization"] == "Bearer k"


def test_they_may_take_the_place_of_ours(server: FaultServer):
    with make(server, headers={"User-Agent": "mine/1", "Accept": "*/*"}) as engine:
        engine.infer([ask("row-1")])
    assert (seen(server)["user-agent"], seen(server)["accept"]) == ("mine/1", "*/*")


def test_a_call_may_name_others(server: FaultServer):
    with make(server) as engine:
        config = InferenceConfig(remote_params=RemoteParams(headers={"x-tenant": "green"}))
        engine.infer([ask("row-1")], config)
        assert seen(server)["x-tenant"] == "green"
        assert "x-gateway-key" not in seen(server)


def test_beta_features_of_anthropic_are_added_to_ours(server: FaultServer):
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    plain = InferenceConfig.model_validate({"generation": {"guided_decoding": {"json": schema}}})
    server.plan(message={"content": "{}"})
    with make(
        server, AnthropicInferenceEngine, api_url=server.url, headers={"anthropic-beta": "mine"}
    ) as engine:
        engine.infer([ask("row-1")], plain)
    assert seen(server)["anthropic-beta"].split(",")[-1] == "mine"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "elsewhere"},
        {"content-length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Type": "text/plain"},
        {"proxy-authorization": "Basic x"},
        {"": "x"},
        {"a b": "x"},
        {"x-a:": "x"},
        {"x-a\n": "x"},
        {"x-ä": "x"},
        {"x-a": "b\r\nx-b: c"},
        {"x-a": "b\x00"},
        {"x-a": "b\x7f"},
        {"x-a": "ä"},
        {"x-a": "1", "X-A": "2"},
        {"x-a": None},
    ],
)
def test_what_cannot_be_sent_is_an_error_at_once(headers: dict[str, Any], tmp_path: Path):
    with pytest.raises(ValidationError, match="headers"):
        RemoteParams(headers=headers)
    path = tmp_path / "run.yaml"
    path.write_text(json.dumps({"remote_params": {"headers": headers}}))
    with pytest.raises(ConfigError, match=r"run\.yaml.*headers"):
        InferenceConfig.from_yaml(path)


@pytest.mark.parametrize(
    "headers", [{"x-api-key": [SECRET]}, {"x-api-key": f"{SECRET}\n"}, {f"x-key: {SECRET}": "x"}]
)
def test_what_is_refused_is_not_shown(headers: dict[str, Any], tmp_path: Path):
    path = tmp_path / "run.yaml"
    path.write_text(json.dumps({"remote_params": {"headers": headers}}))
    for read in (
        lambda: RemoteParams(headers=headers),
        lambda: InferenceConfig(remote_params={"headers": headers}),
        lambda: InferenceConfig.from_yaml(path),
    ):
        with pytest.raises(ValueError, match="headers") as caught:
            read()
        assert SECRET not in str(caught.value)
        assert SECRET not in str(getattr(caught.value, "errors", str)())


def test_keys_among_them_are_not_shown(server: FaultServer, tmp_path: Path, caplog: Any):
    server.plan(
        message={"content": f"it is {SECRET}"},
        scripts={"row-1": [{"kind": "status", "code": 400, "body": f"no {SECRET}"}]},
    )
    config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with caplog.at_level(logging.DEBUG), make(server) as engine:
        result = engine.infer_partial([ask("row-0"), ask("row-1")], config)
        session = engine.session()
    assert answers([result.conversations[0]]) == ["it is ***"]
    params = session.remote
    params_file = tmp_path / "saved.yaml"
    InferenceConfig(remote_params=params).to_yaml(params_file)
    shown = [repr(params), str(params), repr(params.headers), repr(session), str(session.identity)]
    shown += [params.model_dump_json(), repr(params.model_dump()), str(result.failures)]
    shown += [caplog.text, *(path.read_text() for path in tmp_path.iterdir())]
    assert not [text for text in shown if SECRET in text]
    assert InferenceConfig.from_yaml(params_file).remote_params.headers == {"X-Tenant": "blue"}
    assert RemoteParams.model_validate(params.model_dump()).headers == HEADERS


def test_they_are_no_part_of_a_rows_key(server: FaultServer, tmp_path: Path):
    config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    for headers in ({}, HEADERS, {"x-other": "1"}):
        with make(server, headers=headers) as engine:
            engine.infer([ask("row-1")], config)
    assert server.stats()["requests"] == 1


def test_a_key_may_be_one_of_them(server: FaultServer):
    with make(server, OpenAIInferenceEngine, api_key=None, headers={"Authorization": "Bearer x"}):
        pass
    with pytest.raises(AccessError, match="no key"):
        make(server, OpenAIInferenceEngine, api_key=None)
    with pytest.raises(ConfigError, match="leave one of them out"):
        make(server, OpenAIInferenceEngine, headers={"Authorization": "Bearer x"})


def test_a_gateways_key_goes_beside_the_providers(server: FaultServer):
    with make(
        server, AnthropicInferenceEngine, api_url=server.url, headers={"Authorization": "Bearer x"}
    ) as engine:
        engine.infer([ask("row-1")])
    assert (seen(server)["authorization"], seen(server)["x-api-key"]) == ("Bearer x", "k")


def test_batches_at_an_api_carry_them_and_the_query(server: FaultServer):
    server.plan(batch={"states": ["completed"]})
    url = f"{server.api_url}?tenant=a"
    with make(server, OpenAIInferenceEngine, api_url=url) as engine:
        job = engine.infer_batch([ask("row-0")])
        assert engine.wait_for_batch(job, poll_interval_s=0.005).is_terminal
        assert answers(engine.get_batch_results(job)) == ["answer to row-0"]
    calls = server.stats()["last"]
    assert {call["headers"].get("x-gateway-key") for call in calls} == {SECRET}
    assert {call["path"].endswith("tenant=a") for call in calls} == {True}
    assert not [p for p in Path.home().rglob("*") if p.is_file() and SECRET in p.read_text()]


def test_a_job_on_this_machine_has_them_and_does_not_write_the_keys_down(server: FaultServer):
    with make(server, DeepSeekInferenceEngine) as engine:
        job = engine.infer_batch([ask("row-0")])
        assert engine.wait_for_batch(job, poll_interval_s=0.05).is_terminal
        assert answers(engine.get_batch_results(job)) == ["answer to row-0"]
    assert (seen(server)["x-tenant"], seen(server)["x-gateway-key"]) == ("blue", SECRET)
    files = [path for path in Path.home().rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET in path.read_text(errors="replace")]


def test_on_the_command_line(server: FaultServer, tmp_path: Path):
    (tmp_path / "in.jsonl").write_text(ask("row-1").to_json())
    options = {"engine": "REMOTE", "model.model_name": "m", "input_path": "in.jsonl"}
    options |= {"remote_params.api_url": server.api_url, "output_path": "out.jsonl"}
    options |= {"remote_params.headers": "{x-tenant: blue}", "remote_params.headers.x-number": "07"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, "-m", "oumi", "infer", *words]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (seen(server)["x-tenant"], seen(server)["x-number"]) == ("blue", "07")


def test_the_command_that_continues_a_run_masks_them():
    flag = "--remote_params.headers"
    words = [flag, f"{{a: {SECRET}}}", f"{flag}.x-api-key={SECRET}", f"{flag}.x-tenant", "blue"]
    masked = [flag, "***", f"{flag}.x-api-key=***", f"{flag}.x-tenant", "blue"]
    assert mask_keys(words) == masked


def test_settings_with_headers_can_be_pickled_and_copied():
    params = RemoteParams(headers=HEADERS)
    for copy in (pickle.loads(pickle.dumps(params)), params.model_copy(deep=True)):
        assert copy == params
        assert SECRET not in repr(copy.headers)
