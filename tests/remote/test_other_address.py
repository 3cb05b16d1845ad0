"""A server that comes back at another address is not asked again for what it has answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import InferenceEngine
from oumi.inference.build import build_engine
from tests.conftest import ask
from tests.fault_server import FaultServer

ROWS = 12


@pytest.fixture(scope="module")
def second_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def engine_at(name: str, url: str | list[str]) -> InferenceEngine:
    config = InferenceConfig(
        engine=name,
        model=ModelParams(model_name="m"),
        remote_params=RemoteParams(api_url=url, api_key="k", max_retries=0),
    )
    return build_engine(config)


@pytest.mark.parametrize("name", ["REMOTE_VLLM", "SGLANG", "OLLAMA", "REMOTE", "OPENAI"])
def test_only_what_is_missing_is_asked_at_the_new_address(
    server: FaultServer, second_server: FaultServer, tmp_path: Path, name: str, caplog
):
    server.plan(scripts={f"row-{i}": [{"kind": "status", "code": 400}] for i in range(10, ROWS)})
    second_server.plan()
    rows = [ask(f"row-{i}") for i in range(ROWS)]
    config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with engine_at(name, server.api_url) as engine:
        assert len(engine.infer_partial(rows, config).rows) == 10
    with engine_at(name, second_server.api_url) as engine:
        assert len(engine.infer(rows, config)) == ROWS
    assert set(second_server.answered()) == {"row-10", "row-11"}
    [note] = [record.message for record in caplog.records if "came from" in record.message]
    assert f"10 recorded answers came from {server.api_url}" in note
    assert second_server.api_url in note


def test_replicas_may_be_listed_in_another_order(
    server: FaultServer, second_server: FaultServer, tmp_path: Path
):
    second_server.plan()
    rows = [ask(f"row-{i}") for i in range(ROWS)]
    config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    urls = [server.api_url, second_server.api_url]
    for order in (urls, urls[::-1]):
        with engine_at("REMOTE", order) as engine:
            engine.infer(rows, config)
    assert sum(server.answered().values()) + sum(second_server.answered().values()) == ROWS
