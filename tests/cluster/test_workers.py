"""Workers: which rows they are given, how they end, and what is reported of them."""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.distributed import RayCluster
from oumi.inference import InferenceEngine
from oumi.models import TINY_GGUF
from oumi.runner.events import Event, WorkersReported
from oumi.runner.worker_status import WorkerState, WorkerStatus

pytest.importorskip("ray", reason="the tests of clusters run in the environment of test-engines")

SLOTS = 4
ROOM = 5  # of a worker: its slots, and a quarter more that waits there


@pytest.fixture
def config(cluster: Any) -> InferenceConfig:
    """Known once the cluster is there, and with it the engine's package."""
    return InferenceConfig(
        engine="ODD",
        model=ModelParams(model_name="oumi-tiny", model_kwargs={"n_parallel": SLOTS}),
        generation=GenerationParams(max_new_tokens=4),
    )


def _answers(engine: InferenceEngine, texts: list[str]) -> list[str]:
    return [str(row.messages[-1].content) for row in engine.infer(texts)]


def test_a_row_that_kills_workers_fails_alone(config: InferenceConfig) -> None:
    texts = [f"What is {i}+1?" for i in range(12)]
    texts[5] = "poison"
    with RayCluster(config, workers=2, max_failures=5) as engine:
        result = engine.infer_partial(texts)
    assert list(result.failures) == [5], result.error_messages
    assert "2 workers were lost while they had this row" in result.failures[5].error_message
    assert len(result.conversations) == 11


def test_a_worker_with_a_dead_engine_is_replaced(
    config: InferenceConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [f"break {tmp_path / 'broken'}", *(f"What is {i}+1?" for i in range(20))]
    with RayCluster(config, workers=1) as engine:
        assert len(engine.infer(texts)) == 21
        states = [(worker.name, worker.state) for worker in _report(engine)]
    assert states == [("worker 1", WorkerState.LOST), ("worker 2", WorkerState.READY)]
    assert "worker 1 on " in caplog.text
    assert "is lost: CUDA error: device-side assert triggered" in caplog.text


@pytest.mark.parametrize(("workers", "prefixes"), [(2, 2), (3, 6), (2, 5)])
def test_long_beginnings_stay_with_a_worker(
    config: InferenceConfig, workers: int, prefixes: int
) -> None:
    each = 40
    shared = [f"document {number} " * 200 for number in range(prefixes)]
    texts = [f"{shared[i % prefixes]}{i}\nwhere" for i in range(each * prefixes)]
    with RayCluster(config, workers=workers) as engine:
        _wait_for(engine, WorkerState.READY, workers)
        found = _answers(engine, texts)
    at_home = 0
    for number in range(prefixes):
        places = Counter(found[number::prefixes])
        at_home += places.most_common(1)[0][1]
    assert at_home >= 2 / 3 * len(texts)  # at random it would be 45 to 58 %
    assert len(set(found)) == workers


def test_no_row_waits_for_its_favourite_while_another_worker_has_room(
    config: InferenceConfig, tmp_path: Path
) -> None:
    shared, workers = "the same document " * 200, 3
    everywhere = workers * ROOM
    texts = [f"{shared}{i}\nmeet {everywhere} {tmp_path}" for i in range(2 * everywhere)]
    with RayCluster(config, workers=workers) as engine:
        _wait_for(engine, WorkerState.READY, workers)
        places = Counter(_answers(engine, texts))  # would never end with fewer at once
    assert len(places) == workers


def test_a_node_with_other_files_is_named_and_left_out(
    cluster: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = InferenceConfig(
        engine="LLAMACPP",
        model=ModelParams(model_name="~/model.gguf"),
        generation=GenerationParams(max_new_tokens=4),
    )
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for home in (right, wrong):
        home.mkdir()
        shutil.copy(TINY_GGUF, home / "model.gguf")
    with (wrong / "model.gguf").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\1\1\1\1")
    size = {"num_cpus": 3}  # the other nodes are too small for these workers
    nodes = [cluster.add_node(**size, env_vars={"HOME": str(right)})]
    try:
        with RayCluster(config, workers=2, cpus_per_worker=3) as engine:
            nodes.append(cluster.add_node(**size, env_vars={"HOME": str(wrong)}))
            _wait_for(engine, WorkerState.LEFT_OUT, 1)
            _wait_for(engine, WorkerState.STARTING, 1)
            nodes.append(cluster.add_node(**size, env_vars={"HOME": str(right)}))
            _wait_for(engine, WorkerState.READY, 2)
            states = Counter(worker.state for worker in _report(engine))
    finally:
        for node in nodes:
            cluster.remove_node(node)
    assert states == {WorkerState.LEFT_OUT: 1, WorkerState.READY: 2}
    assert "worker 2 on " in caplog.text
    assert "the fingerprint of its files: the node is left out" in caplog.text


def test_names_on_the_pages_of_ray_say_what_a_worker_is(config: InferenceConfig) -> None:
    import ray

    with RayCluster(config, workers=1):
        names = [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)]
    assert [name.startswith("oumi ODD oumi-tiny ") for name in names] == [True]


def _report(engine: InferenceEngine) -> tuple[WorkerStatus, ...]:
    """What the run of one more row reports of its workers in the end."""
    reports: list[WorkersReported] = []

    def listen(event: Event) -> None:
        if isinstance(event, WorkersReported):
            reports.append(event)

    engine.infer(["What is 1+1?"], on_event=listen)
    return reports[-1].workers


def _wait_for(engine: InferenceEngine, state: WorkerState, count: int) -> None:
    """Wait until so many workers are in a state."""
    end_s = time.monotonic() + 60
    while sum(worker.state is state for worker in _report(engine)) != count:
        assert time.monotonic() < end_s, _report(engine)
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "oumi")
