"""Jobs on this machine: how tests wait for them, look at them and kill their processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from oumi.batch.job_folder import JobFolder, find_folder
from oumi.batch.local.service import LocalJobs
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import BatchInfo, Conversation
from oumi.errors import UnavailableError
from oumi.inference import InferenceEngine, RemoteInferenceEngine, RemoteVLLMInferenceEngine
from oumi.runner import loop
from tests.conftest import ask

PATIENCE_S = 60


def remote_engine(
    url: str, kind: type[RemoteInferenceEngine] = RemoteVLLMInferenceEngine, **fields: Any
) -> RemoteInferenceEngine:
    """An engine of a server without a batch API."""
    remote = RemoteParams(api_url=url, **{"num_workers": 4, "retry_backoff_base": 0.05, **fields})
    return kind(ModelParams(model_name="m"), remote_params=remote)


def rows(count: int) -> list[Conversation]:
    """Conversations that the fault server tells apart as `row-0` and so on."""
    return [ask(f"row-{i}", conversation_id=f"c{i}") for i in range(count)]


def folder_of_job(batch_id: str) -> JobFolder:
    """The folder of a job."""
    folder = find_folder(batch_id)
    assert folder is not None
    return folder


def wait_until(holds: Callable[[], Any]) -> Any:
    """What `holds` gives as soon as it is true."""
    end_s = time.monotonic() + PATIENCE_S
    while not (value := holds()):
        assert time.monotonic() < end_s, "it does not come true"
        time.sleep(0.02)
    return value


def finish(engine: InferenceEngine, batch_id: str) -> BatchInfo:
    """How a job ended."""
    try:
        return engine.wait_for_batch(batch_id, poll_interval_s=0.05, timeout_s=PATIENCE_S)
    except UnavailableError as error:
        error.add_note(folder_of_job(batch_id).log_path.read_text())
        raise


def status_without_engine(batch_id: str) -> BatchInfo:
    """As the command line asks."""
    return loop.call(LocalJobs().status(batch_id, InferenceConfig()))


def worker_of(batch_id: str) -> int:
    """The process that works on a job, once it has signed."""
    lock = folder_of_job(batch_id).lock_path
    return orjson.loads(wait_until(lock.read_bytes))["pid"]


def kill_worker(batch_id: str) -> None:
    """End the process that works on a job, and wait until it is gone."""
    os.kill(worker_of(batch_id), signal.SIGKILL)
    wait_until(lambda: is_free(folder_of_job(batch_id)))


def is_free(folder: JobFolder) -> bool:
    """Whether nobody works on a job."""
    lock = folder.try_lock()
    if lock is not None:
        lock.release()
    return lock is not None


def processes_started(batch_id: str) -> int:
    """How many processes ever worked on a job."""
    return folder_of_job(batch_id).log_path.read_text().count(" works on ")


def recorded(batch_id: str) -> list[int]:
    """The rows with an answer, in the order of the journal, without a torn last line."""
    journal = Path(f"{folder_of_job(batch_id).answers_path}.journal")
    if not journal.exists():
        return []
    *lines, _ = journal.read_bytes().split(b"\n")
    found = map(orjson.loads, lines[1:])
    return [line["row"] for line in found if "completion" in line]
