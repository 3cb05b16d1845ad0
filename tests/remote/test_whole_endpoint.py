"""An `api_url` that is a whole endpoint of another kind."""

from __future__ import annotations

import pytest

from oumi.core.configs import ModelParams, RemoteParams
from oumi.errors import ModelNotFoundError, UnsupportedError
from oumi.inference import RemoteInferenceEngine, SGLangInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer


def make(url: str, kind: type = RemoteInferenceEngine, **fields: object) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=url, api_key="k", retry_backoff_base=0.01)
    return kind(ModelParams(model_name="m", **fields), remote_params=remote)


def paths(server: FaultServer) -> list[str]:
    return [one["path"] for one in server.stats()["last"]]


def test_each_request_goes_to_it_as_it_is(server: FaultServer):
    with make(f"{server.url}/team/gateway/ask?api-version=2") as engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
        assert "".join(delta.content for delta in engine.stream(ask("row-2"))) == "answer to row-2"
        assert set(paths(server)) == {"/team/gateway/ask?api-version=2"}
        assert engine.list_models() == ["m"]
        with pytest.raises(UnsupportedError, match="ends in /v1 or /"):
            engine.get_batch_status("batch_of_another_machine")


def test_a_batch_job_of_it_is_worked_off_here(server: FaultServer):
    with make(f"{server.url}/gateway/ask") as engine:
        job = engine.infer_batch([ask("row-1")])
        engine.wait_for_batch(job, poll_interval_s=0.05)
        assert answers(engine.get_batch_results(job)) == ["answer to row-1"]
    assert set(paths(server)) == {"/gateway/ask"}


def test_a_wrong_one_names_the_setting(server: FaultServer):
    wrong = pytest.raises(ModelNotFoundError, match=r"remote_params\.api_url")
    with make(f"{server.url}/v1/generate") as engine, wrong:
        engine.infer([ask("row-1")])
    assert paths(server) == ["/v1/generate"]


def test_sglang_is_asked_by_its_chat_api(server: FaultServer, caplog: pytest.LogCaptureFixture):
    # Each text is warned of once a process; no other test has these three settings together.
    decided = {"chat_template": "llama3-instruct", "device_map": "cpu", "torch_dtype": "half"}
    with make(f"{server.url}/generate", SGLangInferenceEngine, **decided) as engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
    [request] = server.stats()["last"]
    assert request["path"] == "/v1/chat/completions"
    assert "chat_template" not in request["body"]
    assert "SGLANG: decided by the model's file or the server: model.chat_template, " in caplog.text
