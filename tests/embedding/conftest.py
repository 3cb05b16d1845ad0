"""An engine behind the fault server, and short ways to what it has seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oumi.core.configs import ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from tests.cli.conftest import oumi as oumi
from tests.fault_server import FaultServer


@pytest.fixture
def remote(server: FaultServer) -> Iterator[RemoteInferenceEngine]:
    """An engine whose failed requests are tried again soon."""
    params = RemoteParams(
        api_url=server.api_url, num_workers=4, retry_backoff_base=0.01, max_outage_s=1
    )
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=params) as engine:
        yield engine


@pytest.fixture
def bodies(server: FaultServer) -> Callable[[], list[dict[str, Any]]]:
    """The bodies of the last requests, the oldest first."""
    return lambda: [json.loads(seen["body"]) for seen in server.stats()["last"]]
