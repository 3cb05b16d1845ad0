"""A run that an error ends: what was answered is handed out with the error."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import InferenceResult
from oumi.errors import AccessError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer

ROWS = 30
QUOTA = {"kind": "status", "code": 401, "times": None}


@pytest.fixture
def engine(server: FaultServer) -> RemoteInferenceEngine:
    server.plan(scripts={f"row-{i}": [QUOTA] for i in range(10, ROWS)})
    remote = RemoteParams(
        api_url=server.api_url, num_workers=1, max_retries=0, use_adaptive_concurrency=False
    )
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def questions() -> list[object]:
    return [ask(f"row-{i}") for i in range(ROWS)]


def assert_whole(result: InferenceResult) -> None:
    assert set(range(10)) == set(result.rows)
    assert sorted([*result.rows, *result.failures]) == list(range(ROWS))
    for row, conversation in zip(result.rows, result.conversations, strict=True):
        assert conversation.messages[-1].content == f"answer to row-{row}"
    assert result.failures[ROWS - 1].error_class == "AccessError"
    assert "the run ended before this row" in result.failures[ROWS - 1].error_message


@pytest.mark.parametrize("destination", ["memory", "file"])
@pytest.mark.parametrize("origin", ["list", "file"])
def test_the_error_and_the_partial_result_hold_every_row(
    engine: RemoteInferenceEngine, tmp_path: Path, write_jsonl, destination: str, origin: str
):
    fields: dict[str, str] = {}
    if destination == "file":
        fields["output_path"] = str(tmp_path / "out.jsonl")
    if origin == "file":
        fields["input_path"] = str(write_jsonl(questions()))
    config = InferenceConfig(**fields)
    rows = questions() if origin == "list" else None
    with pytest.raises(AccessError) as caught:
        engine.infer(rows, config)
    assert_whole(caught.value.result)
    assert_whole(engine.infer_partial(rows, config))
    assert_whole(asyncio.run(engine.ainfer_partial(rows, config)))
    assert not (tmp_path / "out.jsonl").exists(), "an output appears whole or not at all"


def test_a_refused_key_fails_every_row_of_a_partial_result(server: FaultServer):
    server.plan(faults=[QUOTA])
    remote = RemoteParams(api_url=server.api_url, max_retries=0)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        result = engine.infer_partial([ask("row-1"), ask("row-2")])
    assert result.failed_indices == [0, 1]
    assert {failure.error_class for failure in result.failures.values()} == {"AccessError"}
