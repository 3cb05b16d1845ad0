"""Limits that all parts of a run keep to together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError
from oumi.inference import RemoteInferenceEngine
from oumi.runner.limits.config import Limits
from oumi.runner.limits.shares import share_of
from tests.fault_server import FaultServer
from tests.runner.test_limiter import max_in_window
from tests.server.process import Serve

ROWS = 90
PARTS = 3
PER_MINUTE = 900
PER_SECOND = PER_MINUTE / 60


def _run_parts(folder: Path, api_url: str, **remote: object) -> None:
    """All parts at once, each a process, and one output of them."""
    rows = [{"messages": [{"role": "user", "content": f"row-{i}"}]} for i in range(ROWS)]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "engine": "REMOTE",
        "model": {"model_name": "m"},
        "input_path": "in.jsonl",
        "output_path": "out.jsonl",
        "remote_params": {"api_url": api_url, "num_workers": 16, **remote},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "oumi", "infer", "-c", "run.yaml", "--part"]
    parts = [
        subprocess.Popen([*command, f"{i + 1}/{PARTS}"], cwd=folder, stderr=subprocess.PIPE)
        for i in range(PARTS)
    ]
    said = [part.communicate(timeout=100)[1] for part in parts]
    assert [part.returncode for part in parts] == [0] * PARTS, said
    merge = [sys.executable, "-m", "oumi", "merge", "-c", "run.yaml"]
    subprocess.run(merge, cwd=folder, check=True, stderr=subprocess.PIPE, timeout=100)
    assert len((folder / "out.jsonl").read_bytes().splitlines()) == ROWS


def _check_starts(server: FaultServer) -> None:
    """No stretch of time saw more requests than the limit, and one second's worth, allows."""
    starts = server.stats(starts=True)["starts"]
    assert len(starts) == ROWS
    for seconds in (0.0, 0.5, 1.0, 2.0, 3.0):
        allowed = PER_SECOND * (seconds + 1)
        assert max_in_window(starts, [1.0] * ROWS, seconds) <= allowed, seconds


@pytest.mark.slow
def test_shares_keep_to_the_limit(server: FaultServer, tmp_path: Path):
    _run_parts(tmp_path, server.api_url, requests_per_minute=PER_MINUTE)
    _check_starts(server)


@pytest.mark.slow
def test_a_server_in_between_keeps_to_the_limit(server: FaultServer, tmp_path: Path):
    config = {
        "engine": "REMOTE",
        "model": {"model_name": "m"},
        "remote_params": {
            "api_url": server.api_url,
            "num_workers": 4,
            "requests_per_minute": PER_MINUTE,
        },
    }
    (tmp_path / "serve.yaml").write_text(yaml.safe_dump(config))
    with Serve("-c", tmp_path / "serve.yaml", "--most-waiting", "2") as between:
        _run_parts(tmp_path, between.api_url)
        path = "/v1/chat/completions"
        assert between.metric(f'oumi_requests_total{{path="{path}",status="429"}}') > 0
        assert between.metric(f'oumi_requests_total{{path="{path}",status="200"}}') == ROWS
    _check_starts(server)


def test_shares_are_rounded_down():
    limits = Limits(8, 100, 1000, 500, politeness_s=2.0)
    assert share_of(limits, 3) == Limits(2, 33, 333, 166, politeness_s=2.0)
    assert share_of(Limits(8), 16) == Limits(8), "how many are in flight is no limit on starts"


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("requests_per_minute", 15),
        ("input_tokens_per_minute", 15),
        ("output_tokens_per_minute", 1),
        ("num_workers", 4),
    ],
)
def test_a_limit_that_is_not_enough_for_all_parts(server: FaultServer, limit: str, value: int):
    remote = RemoteParams(api_url=server.api_url, politeness_policy=0.1, num_workers=32)
    config = InferenceConfig(
        part="3/16",
        input_path="in.jsonl",
        output_path="out.jsonl",
        remote_params=remote.model_copy(update={limit: value}),
    )
    with (
        RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine,
        pytest.raises(ConfigError, match=f"{limit}.*: {value} cannot be divided among 16 parts"),
    ):
        engine.session(config)
