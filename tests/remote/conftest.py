"""The fault server, one process for all tests, with a fresh plan for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fault_server import FaultServer


@pytest.fixture(scope="session")
def _server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def server(_server: FaultServer) -> FaultServer:
    _server.plan()
    return _server
