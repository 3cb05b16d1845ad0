"""Engines in pickles: settings without keys, and what is refused."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from oumi.backends.remote.http.transport import open_transport
from oumi.core.configs import GenerationParams, ModelParams, RemoteParams
from oumi.errors import (
    AccessError,
    ConfigError,
    EngineError,
    InferenceError,
    ModelNotFoundError,
    OumiError,
    StorageError,
    StructuredOutputError,
    UnavailableError,
)
from oumi.inference import (
    AnthropicInferenceEngine,
    LlamaCppInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
)
from oumi.runner import loop
from tests.conftest import answers, ask, short
from tests.fault_server import FaultServer
from tests.remote.outages import make, rows

KEY = "sk-key-of-the-environment"


class Named(RemoteInferenceEngine):
    """An engine of a user's own."""

    def __init__(self, *args: Any, **fields: Any):
        super().__init__(*args, **fields)
        self.label = "mine"


def remote(server: FaultServer, kind: Any = RemoteInferenceEngine, **fields: Any) -> Any:
    params = RemoteParams(**{"api_url": server.api_url, **fields})
    return kind(
        ModelParams(model_name="m"),
        generation_params=GenerationParams(seed=7),
        remote_params=params,
    )


def test_an_engine_is_pickled_as_its_settings(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with remote(server, headers={"x-tenant": "blue"}) as engine:
        engine.infer([ask("row-0")])
        data = pickle.dumps(engine)
    assert KEY.encode() not in data
    monkeypatch.setenv("OPENAI_API_KEY", "sk-key-of-the-child")
    with pickle.loads(data) as other:
        assert answers(other.infer([ask("row-1")])) == ["answer to row-1"]
    seen = server.stats()["last"][-1]
    assert seen["headers"]["authorization"] == "Bearer sk-key-of-the-child"
    assert seen["headers"]["x-tenant"] == "blue"
    assert '"seed":7' in seen["body"]


def test_what_is_wrong_shows_when_it_is_used(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with remote(server, OpenAIInferenceEngine) as engine:
        data = pickle.dumps(engine)
    monkeypatch.delenv("OPENAI_API_KEY")
    other = pickle.loads(data)
    with pytest.raises(AccessError, match="OPENAI_API_KEY"):
        other.infer([ask("row-1")])
    other.close()
    with pytest.raises(EngineError, match="closed"):
        other.infer([ask("row-1")])


def test_an_engine_of_ones_own_keeps_what_it_has(server: FaultServer):
    with remote(server, Named) as engine:
        engine.label = "other"
        for other in (pickle.loads(pickle.dumps(engine)), copy.deepcopy(engine)):
            with other:
                assert (type(other), other.label) == (Named, "other")
                assert answers(other.infer([ask("row-1")])) == ["answer to row-1"]


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"api_key": KEY}, "OPENAI_API_KEY"),
        ({"api_url": "http://bob:pass-word@127.0.0.1:9/v1"}, "OPENAI_BASE_URL"),
        ({"api_url": [f"127.0.0.1:{port}?code={KEY}" for port in (8, 9)]}, "OPENAI_BASE_URL"),
        ({"headers": {"x-gateway-key": KEY}}, "headers"),
    ],
)
def test_a_key_in_the_settings_is_refused(server: FaultServer, fields: Any, advice: str):
    with remote(server, **fields) as engine, pytest.raises(ConfigError, match=advice) as caught:
        pickle.dumps(engine)
    assert KEY not in str(caught.value)
    assert "pass-word" not in str(caught.value)


def test_the_variable_is_the_engines_own(server: FaultServer):
    params = RemoteParams(api_url=server.url, api_key=KEY)
    engine = AnthropicInferenceEngine(ModelParams(model_name="m"), remote_params=params)
    with engine, pytest.raises(ConfigError, match="ANTHROPIC_API_KEY"):
        pickle.dumps(engine)


def test_an_empty_key_is_none(server: FaultServer):
    with remote(server, api_key="") as engine, pickle.loads(pickle.dumps(engine)) as other:
        other.infer([ask("row-1")])
    assert server.stats()["authorizations"] == []


def test_a_transport_of_ones_own_stays_in_its_process(server: FaultServer):
    transport = open_transport()
    params = RemoteParams(api_url=server.api_url)
    model = ModelParams(model_name="m")
    engine = RemoteInferenceEngine(model, remote_params=params, transport=transport)
    with engine, pytest.raises(ConfigError, match="transport"):
        pickle.dumps(engine)
    loop.call(transport.close())


def test_a_local_model_is_loaded_when_it_is_used(engine: LlamaCppInferenceEngine):
    data = pickle.dumps(engine)
    assert len(data) < 10_000
    with pickle.loads(data) as other:
        assert answers(other.infer([ask("hi")], short())) == answers(
            engine.infer([ask("hi")], short())
        )
    missing = pickle.loads(data.replace(b"oumi-tiny", b"gone.gguf"))
    with pytest.raises(ModelNotFoundError):
        missing.infer([ask("hi")], short())


@pytest.mark.parametrize(
    "error",
    [
        AccessError("m", status=401),
        UnavailableError("m", wait_s=2.0, ends_run=True),
        StorageError("m"),
        StructuredOutputError("m", "reply", None),
    ],
)
def test_errors_come_whole_out_of_another_process(error: OumiError):
    found = pickle.loads(pickle.dumps(error))
    assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


def test_so_do_the_rows_that_an_error_carries(server: FaultServer):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 400, "body": "no"}]})
    with make(server) as engine, pytest.raises(InferenceError) as caught:
        engine.infer(rows(3))
    found = pickle.loads(pickle.dumps(caught.value))
    assert answers(found.result.conversations) == ["answer to row-0", "answer to row-2"]
    assert (found.result.rows, list(found.result.failures)) == ([0, 2], [1])


def test_and_the_rows_of_a_run_that_ended(server: FaultServer, tmp_path):
    """They are read from files that the other process has not open."""
    path = tmp_path / "in.jsonl"
    path.write_text("".join(row.to_json() + "\n" for row in rows(3)))
    server.plan(scripts={"row-1": [{"kind": "status", "code": 404, "times": None}]})
    config = short(input_path=str(path), output_path=str(tmp_path / "out.jsonl"))
    with make(server, num_workers=1) as engine:
        result = engine.infer_partial(None, config)
        path.unlink()
        found = pickle.loads(pickle.dumps(result))
    assert answers(found.conversations) == answers(result.conversations)
    assert found.failures == dict(result.failures)
