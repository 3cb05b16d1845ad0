"""A budget holds over all workers, also where one of them dies: proved by what the server saw."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, PriceParams
from oumi.distributed import RayCluster
from oumi.errors import BudgetError
from tests.cluster.running import ROWS, run, run_disturbed, worker_pids
from tests.fault_server import FaultServer

pytest.importorskip("ray", reason="the tests of clusters run in the environment of test-engines")

MOST_TOKENS = 20
PRICE = PriceParams(input_per_million=1.0, output_per_million=4.0)


@pytest.fixture
def priced(cluster: Any, config: InferenceConfig, server: FaultServer) -> InferenceConfig:
    """Answers of 1 to 20 tokens that cost something, in a run of several workers."""
    server.plan(latency_ms=10, answer_tokens=[1, MOST_TOKENS])
    generation = GenerationParams(max_new_tokens=MOST_TOKENS)
    return config.model_copy(update={"generation": generation, "price": PRICE})


def _tokens(server: FaultServer) -> int:
    stats = server.stats()
    return int(stats["prompt_tokens"] + stats["completion_tokens"])


def _cost_usd(server: FaultServer) -> float:
    stats = server.stats()
    return float(stats["prompt_tokens"] + 4 * stats["completion_tokens"]) / 1e6


@pytest.mark.parametrize(
    ("setting", "spent"), [("max_total_tokens", _tokens), ("max_cost_usd", _cost_usd)]
)
def test_what_is_spent(
    priced: InferenceConfig, server: FaultServer, setting: str, spent: Any
) -> None:
    assert not run(priced, workers=4, cpus_per_worker=0.5).has_failures
    whole = spent(server)
    server.plan(latency_ms=10, answer_tokens=[1, MOST_TOKENS])
    most = whole / 2 if setting == "max_cost_usd" else whole // 2
    output = f"{priced.output_path}.2"
    limited = priced.model_copy(update={setting: most, "output_path": output})
    with (
        RayCluster(limited, workers=4, cpus_per_worker=0.5) as engine,
        pytest.raises(BudgetError, match=setting),
    ):
        engine.infer(None, limited)
    assert 0.8 * most <= spent(server) <= most
    assert not run(limited.model_copy(update={setting: 2 * whole}), workers=2).has_failures
    assert spent(server) == whole, "no answer is paid for twice"


def test_what_is_spent_where_a_worker_dies(priced: InferenceConfig, server: FaultServer) -> None:
    most = ROWS * 3 // 4 * 30
    limited = priced.model_copy(update={"max_total_tokens": most})

    def kill() -> None:
        os.kill(worker_pids()[0], signal.SIGKILL)

    result = run_disturbed(server, limited, kill, workers=3)
    assert {failure.error_class for failure in result.failures.values()} == {"BudgetError"}
    assert _tokens(server) <= most


def test_how_many_rows_are_asked(priced: InferenceConfig, server: FaultServer) -> None:
    limited = priced.model_copy(update={"max_rows": 70})
    result = run(limited, workers=4, cpus_per_worker=0.5)
    assert list(result.rows) == list(range(70))
    assert server.answered() == {f"row-{i}": 1 for i in range(70)}
    assert not Path(str(limited.output_path)).exists()
