"""Jobs that version 0.1 worked off on this machine, to their end or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import BatchStatus
from oumi.inference import (
    InferenceEngine,
    LlamaCppInferenceEngine,
    RemoteVLLMInferenceEngine,
)
from tests.conftest import answers
from tests.fault_server import FaultServer
from tests.version_0_1 import stored
from tests.version_0_1.stored import API_URL, copy_job, result_dict, submitted

PATIENCE_S = 60


@pytest.fixture
def vllm(api: FaultServer) -> Iterator[RemoteVLLMInferenceEngine]:
    remote = RemoteParams(api_url=API_URL, num_workers=4, retry_backoff_base=0.05)
    with RemoteVLLMInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        yield engine


def finish(engine: InferenceEngine, job: Path) -> BatchStatus:
    """How the job ended, once its process has left as well."""
    info = engine.wait_for_batch(job.name, poll_interval_s=0.05, timeout_s=PATIENCE_S)
    end_s = time.monotonic() + PATIENCE_S
    while (job / "lock").stat().st_size:  # whoever works on a job signs here
        assert time.monotonic() < end_s
        time.sleep(0.02)
    return info.status


def processes(job: Path) -> int:
    """How many processes ever worked on a job."""
    return (job / "worker.log").read_text().count(" works on ")


def test_a_job_that_is_done(engine: LlamaCppInferenceEngine):
    name, before = "local_ended", engine.asked
    job = copy_job(name)
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=16))
    stored.check(name, "status", engine.get_batch_status(job.name).to_dict())
    assert engine.infer_batch(submitted(name), config) == job.name, "it is the same job"
    assert engine.resubmit_batch(job.name) == job.name
    for given in (None, submitted(name)):
        result = engine.get_batch_results_partial(job.name, given)
        stored.check(name, "results", result_dict(result))
    assert [info.id for info in engine.list_batches()] == [job.name]
    assert engine.asked == before
    assert processes(job) == 1


def test_a_job_that_was_killed_goes_on(vllm: RemoteVLLMInferenceEngine, api: FaultServer):
    name = "local_killed"
    job = copy_job(name)
    [info] = vllm.list_batches()
    assert (info.status, info.provider_status) == (BatchStatus.IN_PROGRESS, "stopped")
    assert info.completed_requests == 6
    assert finish(vllm, job) == BatchStatus.COMPLETED
    stored.check(name, "results", result_dict(vllm.get_batch_results_partial(job.name)))
    assert api.answered() == {f"row-{i}": 1 for i in (313, 316, 318, 319)}
    assert processes(job) == 2


def test_rows_that_failed_are_asked_again(vllm: RemoteVLLMInferenceEngine, api: FaultServer):
    name = "local_ended_with_failures"
    job = copy_job(name)
    stored.check(name, "status", vllm.get_batch_status(job.name).to_dict())
    stored.check(name, "results", result_dict(vllm.get_batch_results_partial(job.name)))
    assert vllm.resubmit_batch(job.name) == job.name
    assert finish(vllm, job) == BatchStatus.COMPLETED
    results = vllm.get_batch_results(job.name)
    assert answers(results) == [f"answer to row-{i}" for i in range(300, 305)]
    assert api.answered() == {"row-302": 1}


def test_a_job_that_was_cancelled(vllm: RemoteVLLMInferenceEngine, api: FaultServer):
    name = "local_cancelled"
    job = copy_job(name)
    stored.check(name, "status", vllm.get_batch_status(job.name).to_dict())
    stored.check(name, "results", result_dict(vllm.get_batch_results_partial(job.name)))
    assert api.stats()["requests"] == 0
    assert vllm.resubmit_batch(job.name) == job.name
    assert finish(vllm, job) == BatchStatus.COMPLETED
    assert len(vllm.get_batch_results(job.name)) == 4
    assert api.answered() == {"row-321": 1, "row-323": 1}
