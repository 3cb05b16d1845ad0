"""For all tests of batch jobs: an engine with a batch API, and no process that is left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from oumi.batch.job_folder import all_folders
from oumi.batch.local import process
from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import make
from tests.batch.local import is_free
from tests.fault_server import FaultServer


@pytest.fixture
def openai(server: FaultServer) -> Iterator[OpenAIInferenceEngine]:
    with make(server) as engine:
        yield engine


@pytest.fixture(autouse=True)
def _no_process_is_left(_own_home: None) -> Iterator[None]:
    yield
    end_s = time.monotonic() + 30
    while left := [folder for folder in all_folders() if not is_free(folder)]:
        if time.monotonic() > end_s:
            for folder in left:
                process.kill(folder)
            pytest.fail(f"processes are left behind, of {[folder.id for folder in left]}")
        time.sleep(0.02)
