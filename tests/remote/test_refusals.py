"""Refusals that are about one row, and those that are about all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig
from oumi.errors import AccessError, ModelNotFoundError, OumiError
from oumi.runner.events import RowDone
from tests.conftest import answers
from tests.fault_server import FaultServer
from tests.remote.outages import BackgroundRun, expected, make, rows


def status(code: int, body: Any = None, times: int | None = None) -> dict[str, Any]:
    return {"kind": "status", "code": code, "body": body, "times": times}


PAGE = "<!DOCTYPE html>\n<html><title>Attention Required!</title>You have been blocked</html>"
NO_ROUTE = {"error": {"message": "No endpoints found that support image input", "code": 404}}
OF_A_ROW = {
    "content": status(
        403,
        {
            "code": "The caller does not have permission",
            "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK",
        },
    ),
    "moderation": status(
        403, {"error": {"message": "flagged", "code": "content_policy_violation"}}
    ),
    "firewall": status(403, PAGE),
    "routing": status(404, NO_ROUTE),
    "rights": status(403),
    "credit": status(402, {"error": {"message": "This request requires more credits"}}),
    "model": status(404, {"error": {"message": "not found"}}),
    "key": status(401),
}


@pytest.mark.parametrize("name", OF_A_ROW)
def test_a_row_that_is_refused_after_others_were_answered_fails_alone(
    server: FaultServer, name: str
):
    server.plan(scripts={"row-20": [OF_A_ROW[name]]})
    with make(server, num_workers=2) as engine:
        result = engine.infer_partial(rows(40))
    assert result.failed_indices == [20]
    assert result.failures[20].status_code == OF_A_ROW[name]["code"]
    assert server.stats()["requests"] == 40


@pytest.mark.parametrize("name", ["content", "moderation", "firewall", "routing"])
def test_a_refusal_that_names_the_row_is_the_rows_even_at_the_first_request(
    server: FaultServer, name: str
):
    server.plan(scripts={"row-0": [OF_A_ROW[name]]})
    with make(server, num_workers=1) as engine:
        assert engine.infer_partial(rows(10)).failed_indices == [0]


def test_content_that_is_refused_never_ends_a_run(server: FaultServer):
    server.plan(faults=[OF_A_ROW["content"]])
    with make(server) as engine:
        assert len(engine.infer_partial(rows(50)).failures) == 50


@pytest.mark.parametrize("name", ["firewall", "routing"])
def test_a_page_or_no_route_for_each_of_the_first_rows_ends_the_run(server: FaultServer, name: str):
    server.plan(faults=[OF_A_ROW[name]], latency_ms=2)
    error = AccessError if name == "firewall" else ModelNotFoundError
    with make(server, num_workers=2) as engine, pytest.raises(error):
        engine.infer(rows(300))
    assert server.stats()["requests"] < 20


def test_many_rows_without_a_route_fail_one_by_one(server: FaultServer):
    """One more that is not found for another reason is no reason to end the run either."""
    images = {f"row-{i}": [status(404, NO_ROUTE)] for i in range(20, 60)}
    server.plan(scripts={**images, "row-60": [status(404)]})
    with make(server, num_workers=1) as engine:
        assert engine.infer_partial(rows(80)).failed_indices == list(range(20, 61))


@pytest.mark.parametrize(
    ("code", "error"), [(401, AccessError), (402, AccessError), (404, ModelNotFoundError)]
)
def test_several_rows_in_a_row_with_the_same_refusal_end_the_run(
    server: FaultServer, code: int, error: type[OumiError]
):
    server.plan(latency_ms=3)
    with make(server, num_workers=4) as engine, BackgroundRun(engine, rows(2000)) as run:
        run.wait_for(RowDone, 20)
        server.plan(faults=[status(code)], latency_ms=3)
        with pytest.raises(error):
            run.result()
    assert 8 <= server.stats()["requests"] <= 8 + 4


def test_a_rerun_gets_past_a_row_that_is_refused(
    server: FaultServer, write_jsonl: Callable[..., Path], tmp_path: Path
):
    """A run that was broken off: some rows are recorded, and the refused one is asked first."""
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    server.plan(scripts={"row-0": [status(500)]})
    with make(server, max_retries=0) as engine:
        engine.infer_partial(rows(5), output)
        server.plan(scripts={"row-0": [OF_A_ROW["rights"]]})
        more = InferenceConfig(output_path=output.output_path, overwrite=True)
        result = engine.infer_partial(rows(12), more)
    assert result.failed_indices == [0]
    assert answers(result.conversations) == expected(12)[1:]
    assert server.stats()["requests"] == 1 + 7


def test_a_bad_key_ends_a_rerun_at_the_first_row(server: FaultServer, tmp_path: Path):
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    server.plan(scripts={"row-0": [status(500)]})
    with make(server, max_retries=0, num_workers=1) as engine:
        engine.infer_partial(rows(5), output)
        server.plan(faults=[status(401)])
        with pytest.raises(AccessError):
            engine.infer(rows(5), output)
    assert server.stats()["requests"] == 1
