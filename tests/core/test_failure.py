"""Failures: their categories, and what is said of a row that failed."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path

import pytest

import oumi
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Failure, InferenceErrorType, InferenceResult
from oumi.core.types.failure import _TYPE_OF
from oumi.errors import InferenceError, OumiError
from oumi.inference import OpenAIInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer

ODD = '{"choices": [{"message": {"content": [{"type": "odd", "value": 1}]}}]}'


def make(url: str) -> OpenAIInferenceEngine:
    quick = {"max_retries": 0, "max_outage_s": 0.0, "use_adaptive_concurrency": False}
    remote = RemoteParams(api_url=url, api_key="k", num_workers=1, **quick)
    return OpenAIInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def status(code: int) -> dict:
    return {"kind": "status", "code": code, "times": None}


@pytest.mark.parametrize(
    ("fault", "category", "is_retryable"),
    [
        (status(400), "api_status", False),
        (status(422), "api_status", False),
        (status(401), "api_status", False),
        (status(429), "api_status", True),
        (status(500), "api_status", True),
        ({"kind": "reset", "times": None}, "connection", True),
        ({"kind": "cut", "times": None}, "connection", True),
        ({"kind": "malformed", "times": None}, "parse_error", True),
        ({"kind": "wrong_choices", "variant": "no_choices", "times": None}, "parse_error", True),
        ({"kind": "raw", "body": ODD}, "parse_error", False),
    ],
    ids=lambda value: value.get("code", value["kind"]) if isinstance(value, dict) else "",
)
def test_the_category_of_a_failure(
    server: FaultServer, fault: dict, category: str, is_retryable: bool
):
    server.plan(scripts={"row-1": [fault]})
    with make(server.url) as engine:
        result = engine.infer_partial([ask("row-1")])
    failure = result.failures[0]
    assert (failure.error_type, failure.is_retryable) == (category, is_retryable)
    assert f"{failure.error_type}" == category
    assert failure.status_code == fault.get("code")


def test_a_row_that_cannot_be_sent_or_read_is_a_matter_of_its_own(
    server: FaultServer, write_jsonl, tmp_path: Path
):
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"messages": 5}}\n{ask("row-1").to_json()}\n')
    config = InferenceConfig(input_path=str(path), bad_rows="fail")
    with make(server.url) as engine:
        failure = engine.infer_partial(None, config).failures[0]
        forced = InferenceConfig.from_overrides([("generation.tool_choice", "required")])
        refused = engine.infer_partial([ask("row-1")], forced).failures[0]
    for one in (failure, refused):
        assert (one.error_type, one.is_retryable, one.status_code) == ("config", False, None)


def test_rows_that_were_not_asked_may_be_retried_unless_the_reason_stays(server: FaultServer):
    server.plan(faults=[status(401)])
    with make(server.url) as engine:
        result = engine.infer_partial([ask(f"row-{i}") for i in range(3)])
    assert [failure.is_retryable for failure in result.failures.values()] == [False] * 3
    assert {failure.error_type for failure in result.failures.values()} == {"api_status"}


@pytest.mark.parametrize("to_file", [False, True])
def test_failures_in_order_with_their_row_and_error(
    server: FaultServer, tmp_path: Path, to_file: bool
):
    server.plan(scripts={f"row-{i}": [status(400)] for i in (3, 1)})
    path = str(tmp_path / "out.jsonl") if to_file else None
    with make(server.url) as engine:
        result = engine.infer_partial(
            [ask(f"row-{i}") for i in range(5)], InferenceConfig(output_path=path)
        )
    assert [failure.index for failure in result.failures] == [1, 3]
    for row in result.failures:
        assert row.error == result.failures[row].error_message == result.error_messages[row.index]
        assert "answered 400" in row.error
        assert row.failure.status_code == 400
    assert json.dumps(dict.fromkeys(result.failures, "x")) == '{"1": "x", "3": "x"}'
    assert len(result.failures) == 2
    assert 3 in result.failures


def test_failures_of_a_partial_batch_result(server: FaultServer):
    server.plan(batch={"rows": {"row-0": 400, "row-2": 500}})
    with make(server.url) as engine:
        batch_id = engine.infer_batch([ask(f"row-{i}") for i in range(3)])
        engine.wait_for_batch(batch_id, poll_interval_s=0.005)
        partial = engine.get_batch_results_partial(batch_id)
        with pytest.raises(InferenceError) as caught:
            engine.get_batch_results(batch_id)
    assert [(failure.index, bool(failure.error)) for failure in partial.failures] == [
        (0, True),
        (2, True),
    ]
    assert [failure.error_type for failure in partial.failures.values()] == ["api_status"] * 2
    assert list(caught.value.result.failures) == [0, 2]


def test_failures_that_a_caller_hands_in_are_put_in_order():
    given = {7: Failure("InputError", "b"), 2: Failure("BatchExpired", "a")}
    result = InferenceResult(failures=given)
    assert [(row.index, row.error) for row in result.failures] == [(2, "a"), (7, "b")]
    assert result.failures == given
    assert [failure.error_type for failure in result.failures.values()] == ["runtime", "config"]
    assert list(given) == [7, 2]


def test_a_failure_is_read_as_it_was_written_also_by_version_0_1():
    failure = Failure("RequestError", "no", 400, attempts=2)
    assert failure.to_dict()["error_type"] == "api_status"
    assert Failure.from_dict(failure.to_dict()) == failure
    old = {"error_type": "BatchExpired", "error_message": "late", "is_retryable": True}
    read = Failure.from_dict(old)
    assert (read.error_class, read.error_type) == ("BatchExpired", InferenceErrorType.RUNTIME)


def test_every_error_of_the_package_has_a_category():
    for module in pkgutil.walk_packages(oumi.__path__, "oumi."):
        if module.name.endswith("errors") or ".providers.base" in module.name:
            importlib.import_module(module.name)
    names = {kind.__name__ for kind in subclasses(OumiError) if kind.__module__.startswith("oumi.")}
    of_no_row = {"InferenceError", "QueueFullError"}
    assert names - of_no_row == _TYPE_OF.keys() - {""}


def subclasses(kind: type) -> set[type]:
    return {kind for one in kind.__subclasses__() for kind in (one, *subclasses(one))}
