"""One fault server for all tests of batches, with a fresh plan for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import make
from tests.fault_server import FaultServer


@pytest.fixture(scope="session")
def _server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def server(_server: FaultServer) -> FaultServer:
    _server.plan()
    return _server


@pytest.fixture
def openai(server: FaultServer) -> Iterator[OpenAIInferenceEngine]:
    with make(server) as engine:
        yield engine
