"""Short ways to a batch API that is the fault server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from oumi.backends.engine_row import EngineRow
from oumi.backends.provider import BatchLimits
from oumi.batch.job_folder import root
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import BatchStatus, Conversation, InferenceResult
from oumi.inference import InferenceEngine, OpenAIInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer

KEY = "sk-of-the-batches"
POLL = {"poll_interval_s": 0.005}


def make(server: FaultServer, kind: type = OpenAIInferenceEngine, **remote: object):
    """An engine that asks the server."""
    settings = {"api_url": server.api_url, "api_key": KEY, "retry_backoff_base": 0.01, **remote}
    return kind(ModelParams(model_name="gpt-4"), remote_params=RemoteParams(**settings))


def rows(count: int, first: int = 0) -> list[Conversation]:
    return [
        ask(f"row-{i}", conversation_id=f"id-{i}", metadata={"n": i})
        for i in range(first, first + count)
    ]


def expected(numbers: Iterator[int] | range) -> list[str]:
    return [f"answer to row-{i}" for i in numbers]


def folders() -> list[Path]:
    return sorted(path for path in root().glob("*") if path.is_dir())


def to(output: Path) -> InferenceConfig:
    return InferenceConfig(output_path=str(output))


def with_batches(row: EngineRow, limits: BatchLimits) -> EngineRow:
    assert row.provider is not None
    return replace(row, provider=replace(row.provider, batch=limits))


class ThreeAtOnce(OpenAIInferenceEngine):
    """An API of which a batch takes three requests."""

    @classmethod
    def row(cls) -> EngineRow:
        return with_batches(super().row(), BatchLimits(max_requests=3))


class SmallFiles(OpenAIInferenceEngine):
    """An API of which a batch takes 1,000 bytes."""

    @classmethod
    def row(cls) -> EngineRow:
        return with_batches(super().row(), BatchLimits(max_bytes=1000))


def finish(engine: InferenceEngine, batch_id: str) -> BatchStatus:
    """How a job ended."""
    return engine.wait_for_batch(batch_id, **POLL).status


def kinds(result: InferenceResult) -> dict[int, str]:
    """Why each row failed that did."""
    return {row: failure.error_class for row, failure in result.failures.items()}
