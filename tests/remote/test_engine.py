"""Remote engines against a real server process."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path

import pytest

from oumi.core.configs import (
    GenerationParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import Conversation, FinishReason
from oumi.errors import (
    AccessError,
    ConfigError,
    EngineError,
    InferenceError,
    ModelNotFoundError,
    OumiError,
    RequestError,
    UnavailableError,
    UnsupportedError,
)
from oumi.inference import (
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
    RemoteVLLMInferenceEngine,
    build_engine,
)
from oumi.runner.events import RowRetried
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

KEY = "sk-very-secret-0123456789"


def remote(server: FaultServer, **fields: object) -> RemoteParams:
    quick = {"retry_backoff_base": 0.01, "connection_timeout": 5.0, "api_key": KEY}
    return RemoteParams(**{"api_url": server.api_url, **quick, **fields})


def make(server: FaultServer, **fields: object) -> RemoteInferenceEngine:
    return RemoteInferenceEngine(
        ModelParams(model_name="m"), remote_params=remote(server, **fields)
    )


def rows(count: int) -> list[Conversation]:
    return [ask(f"row-{i}", conversation_id=f"id-{i}") for i in range(count)]


def expected(count: int) -> list[str]:
    return [f"answer to row-{i}" for i in range(count)]


def test_answers_come_in_order_through_many_workers(server: FaultServer):
    server.plan(latency_ms=5)
    with make(server, num_workers=50) as engine:
        assert answers(engine.infer(rows(300))) == expected(300)
    stats = server.stats()
    assert stats["most_in_flight"] <= 50
    assert set(server.answered().values()) == {1}


def test_what_the_server_saw(server: FaultServer):
    server.plan()
    with make(server) as engine:
        engine.infer(
            [ask("row-1")],
            InferenceConfig(generation=GenerationParams(max_new_tokens=7, temperature=0.5)),
        )
    [seen] = server.stats()["last"]
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == "application/json"
    assert json.loads(seen["body"]) == {
        "model": "m",
        "messages": [{"role": "user", "content": "row-1"}],
        "temperature": 0.5,
        "max_tokens": 7,
    }


def test_usage_and_finish_reason_are_kept(server: FaultServer):
    server.plan(finish_reason="length")
    with make(server) as engine:
        metadata = engine.infer(rows(1))[0].metadata
    assert metadata["finish_reason"] == FinishReason.LENGTH
    assert metadata["usage"]["completion_tokens"] > 0


def test_streaming(server: FaultServer):
    server.plan(piece_bytes=7)
    with make(server) as engine:
        pieces = list(engine.stream(ask("row-1")))
        assert "".join(piece.content for piece in pieces) == "answer to row-1"
        assert pieces[-1].completion.message.content == "answer to row-1"

        async def main() -> str:
            return "".join([piece.content async for piece in engine.astream(ask("row-2"))])

        assert asyncio.run(main()) == "answer to row-2"


@pytest.mark.parametrize("kind", ["stream_cut", "stream_error", "reset", "hang"])
def test_a_stream_that_breaks_is_an_error(server: FaultServer, kind: str):
    server.plan(faults=[{"kind": kind, "times": None}])
    limits = {"connection_timeout": 0.5, "max_retries": 0, "max_outage_s": 0}
    with make(server, **limits) as engine, pytest.raises(UnavailableError):
        list(engine.stream(ask("row-1")))


@pytest.mark.parametrize("fault", [{"kind": "status", "code": 503}, {"kind": "reset"}])
def test_a_stream_of_which_nothing_has_come_is_tried_again(server: FaultServer, fault: dict):
    server.plan(faults=[fault])
    with make(server, retry_backoff_base=0) as engine:
        pieces = list(engine.stream(ask("row-1")))
    assert "".join(piece.content for piece in pieces) == "answer to row-1"
    assert server.stats()["rows"]["row-1"] == [2, 1]


def test_a_single_answer_is_asked_for_within_limits_and_with_retries(server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 503}])
    with make(server, retry_backoff_base=0) as engine:
        assert engine.complete(ask("row-1")).message.content == "answer to row-1"
        server.plan(faults=[{"kind": "status", "code": 400, "times": None}])
        with pytest.raises(RequestError):
            asyncio.run(engine.acomplete(ask("row-2")))


def test_models_are_listed(server: FaultServer):
    server.plan(models=["a", "b"])
    with make(server) as engine:
        assert engine.list_models() == ["a", "b"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "cut"},
        {"kind": "hang"},
        {"kind": "truncated_json"},
        {"kind": "malformed"},
        {"kind": "wrong_type"},
        {"kind": "wrong_choices", "variant": "no_choices"},
        {"kind": "wrong_choices", "variant": "null_message"},
        {"kind": "status", "code": 408},
        {"kind": "status", "code": 409},
        {"kind": "status", "code": 425},
        {"kind": "status", "code": 429},
        {"kind": "status", "code": 500},
        {"kind": "status", "code": 503},
        {"kind": "status", "code": 529},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_what_may_pass_is_tried_again(server: FaultServer, fault: dict):
    server.plan(faults=[{**fault, "times": 2}])
    retried = []
    # Short only for the fault that needs it: on a busy machine a good reply may take a while.
    with make(server, connection_timeout=1 if fault["kind"] == "hang" else 60) as engine:
        result = engine.infer(rows(3), on_event=lambda e: retried.append(e))
    assert answers(result) == expected(3)
    assert sum(isinstance(event, RowRetried) for event in retried) == 6
    assert set(server.answered().values()) == {1}


def test_tries_end(server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 500, "times": None}])
    with make(server, max_retries=2) as engine, pytest.raises(InferenceError) as caught:
        engine.infer(rows(1))
    failure = caught.value.result.failures[0]
    assert (failure.attempts, failure.status_code, failure.is_retryable) == (3, 500, True)


def test_retry_after_is_obeyed(server: FaultServer):
    for form in ("seconds", "ms", "date"):
        fault = {"kind": "status", "code": 429, "retry_after_s": 1.0, "retry_after": form}
        server.plan(scripts={"row-0": [fault]})
        with make(server) as engine:
            engine.infer(rows(1))
        first, second = server.stats(starts=True)["starts"]
        assert second - first >= (0.99 if form != "date" else 0.0)


def test_politeness_is_the_least_wait_after_a_failure(server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 500}])
    with make(server, politeness_policy=0.7) as engine:
        engine.infer(rows(1))
    first, second = server.stats(starts=True)["starts"]
    assert second - first >= 0.7


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"code": 401}, AccessError, "OPENAI_API_KEY or remote_params.api_key"),
        ({"code": 403}, AccessError, "Check the key"),
        ({"code": 404, "error": "model_not_found"}, ModelNotFoundError, "model.model_name"),
        ({"code": 429, "error": "insufficient_quota"}, AccessError, "quota"),
    ],
    ids=["key", "rights", "model", "quota"],
)
def test_what_no_row_can_pass_stops_the_run(server: FaultServer, fault, error, words):
    server.plan(latency_ms=5, faults=[{"kind": "status", "times": None, **fault}])
    with make(server, num_workers=4) as engine, pytest.raises(error, match=words) as caught:
        engine.infer(rows(200))
    assert KEY not in str(caught.value)
    assert sum(server.stats()["by_status"].values()) <= 8


def test_a_row_that_is_refused_fails_alone(server: FaultServer):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 400, "times": None}]})
    with make(server) as engine:
        result = engine.infer_partial(rows(3))
    assert result.rows == [0, 2]
    assert result.failures[1].status_code == 400


def test_the_same_settings_again_ask_only_what_failed(server: FaultServer, write_jsonl, tmp_path):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 400}]})
    config = InferenceConfig(
        input_path=str(write_jsonl(rows(5))), output_path=str(tmp_path / "out.jsonl")
    )
    with make(server) as engine:
        assert engine.infer_partial(None, config).failed_indices == [1]
        assert answers(engine.infer(None, config)) == expected(5)
    requests = {row: count for row, (count, _) in server.stats()["rows"].items()}
    assert requests == {"row-0": 1, "row-1": 2, "row-2": 1, "row-3": 1, "row-4": 1}


def test_run_json_sums_up(server: FaultServer, write_jsonl, tmp_path):
    server.plan(faults=[{"kind": "status", "code": 503, "share": 0.5}])
    output = tmp_path / "out.jsonl"
    config = InferenceConfig(input_path=str(write_jsonl(rows(20))), output_path=str(output))
    model = ModelParams(model_name="gpt-4o-mini")
    with OpenAIInferenceEngine(model, remote_params=remote(server)) as engine:
        engine.infer(None, config)
    facts = json.loads(Path(f"{output}.run.json").read_text())
    assert (facts["rows"], facts["done"], facts["failed"]) == (20, 20, 0)
    assert facts["cost_usd"] > 0
    assert facts["last_session"]["retries"]["503"] > 0
    assert facts["last_session"]["limits"]["starts"] >= 20
    stretches = facts["last_session"]["over_time"]["stretches"]
    retries = sum(one["retries"] for one in stretches)
    assert retries == facts["last_session"]["retries"]["503"]
    assert stretches[-1]["allowed"] >= 1


def test_an_unknown_price_is_said_so(server: FaultServer, write_jsonl, tmp_path):
    server.plan()
    output = tmp_path / "out.jsonl"
    config = InferenceConfig(input_path=str(write_jsonl(rows(1))), output_path=str(output))
    model = ModelParams(model_name="my-own-model")
    with OpenAIInferenceEngine(model, remote_params=remote(server)) as engine:
        engine.infer(None, config)
    facts = json.loads(Path(f"{output}.run.json").read_text())
    assert facts["cost_usd"] is None
    assert "my-own-model" in facts["cost_note"]


def test_requests_per_minute_spread_the_starts(server: FaultServer):
    server.plan()
    with make(server, requests_per_minute=1200) as engine:
        engine.list_models()  # so that the first row does not wait for the HTTP stack to be loaded
        engine.infer(rows(20))
    starts = server.stats(starts=True)["starts"]
    assert starts[-1] - starts[0] >= 18 / 20


def test_replicas_share_the_work_and_a_dead_one_is_rested(server: FaultServer):
    server.plan(latency_ms=5)
    with FaultServer(latency_ms=5) as second:
        urls = [server.api_url, second.api_url]
        with make(server, api_url=urls, num_workers=8, use_adaptive_concurrency=False) as engine:
            assert answers(engine.infer(rows(100))) == expected(100)
        shares = [sum(s.answered().values()) for s in (server, second)]
        assert sum(shares) == 100
        assert min(shares) > 5, "on a busy machine one of them may be much slower"
    server.plan()
    with make(server, api_url=urls, num_workers=4) as engine:
        assert answers(engine.infer(rows(50))) == expected(50)


def test_settings_are_checked_before_anything_is_sent(server: FaultServer):
    server.plan()
    model = ModelParams(model_name="gpt-4o-mini")
    with OpenAIInferenceEngine(model, remote_params=remote(server)) as engine:
        with pytest.raises(UnsupportedError, match=r"OPENAI cannot honour generation.top_k.*VLLM"):
            engine.infer(rows(1), InferenceConfig(generation=GenerationParams(top_k=3)))
        reasoning = InferenceConfig(
            model=ModelParams(model_name="o3-mini"), generation=GenerationParams(temperature=0.5)
        )
        with pytest.raises(UnsupportedError, match="o3-mini does not take"):
            engine.infer(rows(1), reasoning)
    with pytest.raises(ConfigError, match=r"set model\.model_name"):
        RemoteVLLMInferenceEngine(remote_params=remote(server))
    assert server.stats()["rows"] == {}


def test_a_call_may_name_another_model(server: FaultServer):
    server.plan()
    with make(server) as engine:
        engine.infer(rows(1), InferenceConfig(model=ModelParams(model_name="other")))
    assert json.loads(server.stats()["last"][0]["body"])["model"] == "other"


def test_a_closed_engine_says_so(server: FaultServer):
    engine = make(server)
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(rows(1))


def test_an_engine_from_a_file(server: FaultServer, tmp_path: Path, monkeypatch):
    server.plan()
    monkeypatch.setenv("THE_KEY", KEY)
    (tmp_path / "run.yaml").write_text(
        "engine: REMOTE_VLLM\nmodel: {model_name: m, torch_dtype_str: bfloat16}\n"
        f"remote_params: {{api_url: '{server.url}', api_key: '${{THE_KEY}}', num_workers: 3}}\n"
    )
    with build_engine(InferenceConfig.from_yaml(tmp_path / "run.yaml")) as engine:
        assert engine.engine_type is InferenceEngineType.REMOTE_VLLM
        assert answers(engine.infer(rows(2))) == expected(2)


FAILING = [
    {"kind": "status", "code": 401, "times": None},
    {"kind": "status", "code": 400, "times": None},
    {"kind": "status", "code": 500, "times": None},
    {"kind": "reset", "times": None},
    {"kind": "hang", "times": None},
    {"kind": "malformed", "times": None},
]


@pytest.mark.parametrize("fault", FAILING, ids=lambda f: f"{f['kind']}{f.get('code', '')}")
def test_the_key_is_nowhere(server, fault, write_jsonl, tmp_path, caplog):
    server.plan(faults=[fault])
    params = remote(server, max_retries=1, connection_timeout=0.3)
    config = InferenceConfig(
        input_path=str(write_jsonl(rows(2))), output_path=str(tmp_path / "out.jsonl")
    )
    seen: list[str] = []
    with (
        caplog.at_level(logging.DEBUG),
        RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=params) as engine,
    ):
        with pytest.raises(OumiError) as caught:
            engine.infer(None, config, on_event=lambda event: seen.append(repr(event)))
        seen += [repr(engine), repr(vars(engine)), repr(engine.session())]
    error: BaseException | None = caught.value
    while error is not None:
        seen += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    InferenceConfig(remote_params=params).to_yaml(tmp_path / "dumped.yaml")
    seen += [path.read_text() for path in tmp_path.iterdir() if path.is_file()]
    seen += [caplog.text, repr(params), params.model_dump_json()]
    assert server.stats()["authorizations"] == [f"Bearer {KEY}"], "it was sent"
    assert not [text for text in seen if KEY in text]


def test_a_thousand_rows_from_a_file_while_others_use_the_engine(server, write_jsonl, tmp_path):
    server.plan(latency_ms=2)
    config = InferenceConfig(
        input_path=str(write_jsonl(rows(1000))), output_path=str(tmp_path / "out.jsonl")
    )
    with make(server, num_workers=64) as engine:

        async def main() -> None:
            both = engine.ainfer(None, config), engine.ainfer([ask("row-5000")])
            many, one = await asyncio.gather(*both)
            assert answers(many) == expected(1000)
            assert answers(one) == ["answer to row-5000"]

        started_s = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - started_s < 60
