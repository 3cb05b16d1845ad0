"""Servers that tests share: one of the model in the package, one in front of the fault server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

from tests.cli.conftest import oumi as oumi
from tests.fault_server import FaultServer
from tests.server.process import Serve

settings.register_profile("tests", deadline=None, derandomize=True, database=None)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The home of servers that outlive a test."""
    return str(tmp_path_factory.mktemp("home-of-servers"))


@pytest.fixture(scope="session")
def tiny(home: str) -> Iterator[Serve]:
    """The model in the package."""
    with Serve(HOME=home) as server:
        yield server


@pytest.fixture(scope="session")
def relay_config(_server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models behind the fault server: `big`, in whose place `other` answers, and `small`."""

    def model(name: str, **more: object) -> dict[str, object]:
        remote = {"api_url": _server.api_url, "api_key": "sk-of-the-server-0123456789"}
        remote |= {"retry_backoff_base": 0.01, "num_workers": 4, **more}
        return {"engine": "OPENAI", "model": {"model_name": name}, "remote_params": remote}

    models = {
        "big": model("gpt-big", max_outage_s=0.5) | {"fallbacks": ["other"]},
        "other": model("gpt-other"),
        "small": model("gpt-small", num_workers=1, max_retries=0, max_outage_s=0.5),
    }
    folder = tmp_path_factory.mktemp("relay")
    models["reads"] = model("gpt-reads") | {"allowed_media_path": str(folder)}
    models["reads-too"] = models["reads"] | {"fallbacks": ["other"]}
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"models": models}))
    return path


@pytest.fixture(scope="session")
def _relay(relay_config: Path, home: str) -> Iterator[Serve]:
    with Serve("-c", relay_config, "--most-waiting", "1", HOME=home) as server:
        yield server


@pytest.fixture
def relay(_relay: Serve, server: FaultServer) -> Serve:
    """A server in front of the fault server, whose plan is fresh."""
    return _relay


@pytest.fixture(scope="session")
def _batches(_server: FaultServer, home: str) -> Iterator[Serve]:
    arguments = ["--engine", "REMOTE_VLLM", "--model.model_name", "m"]
    with Serve(*arguments, "--remote_params.api_url", _server.api_url, HOME=home) as server:
        yield server


@pytest.fixture
def batches(_batches: Serve, server: FaultServer) -> Serve:
    """A server whose batches this machine works off, in front of a fresh fault server."""
    return _batches


@pytest.fixture
def batch_config(server: FaultServer, tmp_path: Path) -> list[str]:
    """A model of a server without batches of its own, so that this machine works them off."""
    arguments = ["--engine", "REMOTE_VLLM", "--model.model_name", "m"]
    arguments += ["--remote_params.api_url", server.api_url, "--remote_params.num_workers", "2"]
    return [*arguments, "--remote_params.retry_backoff_base", "0.01"]
