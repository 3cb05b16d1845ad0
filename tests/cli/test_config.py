"""The user's defaults: set, shown, lowest in rank."""

import json
from pathlib import Path

import pytest

from tests.fault_server import FaultServer


@pytest.fixture(autouse=True)
def _api(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")


def asked(server: FaultServer) -> list[dict]:
    return [json.loads(one["body"]) for one in server.stats()["last"]]


def test_defaults_are_lowest_in_rank(oumi, oumi_here, server: FaultServer, tmp_path: Path) -> None:
    assert oumi_here("config", "set", "model", "gpt-4o-mini").returncode == 0
    assert oumi_here("config", "set", "temperature", "0.5").returncode == 0
    assert oumi_here("config", "set", "system", "Be short.").returncode == 0
    (tmp_path / "run.yaml").write_text("generation: {temperature: 0.6, max_new_tokens: 7}\n")
    oumi("row-1")
    oumi("row-2", "--config", "run.yaml")
    oumi("row-3", "-c", "run.yaml", "-t", "0.7", "-m", "gpt-4o", "-s", "Be long.")
    first, second, third = asked(server)
    assert [body["model"] for body in asked(server)] == ["gpt-4o-mini", "gpt-4o-mini", "gpt-4o"]
    assert [body["temperature"] for body in asked(server)] == [0.5, 0.6, 0.7]
    assert "max_tokens" not in first or first["max_tokens"] != 7
    assert second["max_tokens"] == third["max_tokens"] == 7
    assert first["messages"][0] == {"role": "system", "content": "Be short."}
    assert third["messages"][0] == {"role": "system", "content": "Be long."}


def test_a_named_model_leaves_out_what_is_said_of_another(oumi, oumi_here) -> None:
    oumi_here("config", "set", "engine", "OPENAI")
    oumi_here("config", "set", "remote_params.api_url", "http://localhost:1/v1")
    done = oumi("-m", "oumi-tiny", "hi")
    assert (done.returncode, done.stdout) == (0, "Hello! How can I help you?\n")


def test_shown_and_removed(oumi_here) -> None:
    done = oumi_here("config")
    assert (done.returncode, done.stdout) == (0, "")
    oumi_here("config", "set", "model", "gpt-4o")
    oumi_here("config", "set", "generation.seed", "7")
    done = oumi_here("config")
    assert done.stdout == "model:\n  model_name: gpt-4o\ngeneration:\n  seed: 7\n"
    path = Path(oumi_here("config", "path").stdout.strip())
    assert path.read_text() == done.stdout
    assert oumi_here("config", "unset", "model").returncode == 0
    assert oumi_here("config").stdout == "generation:\n  seed: 7\n"
    assert oumi_here("config", "unset", "model").returncode == 2


def test_a_variable_in_the_file_stays_one(oumi_here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_MODEL", "gpt-4o")
    oumi_here("config", "set", "model", "${MY_MODEL}")
    oumi_here("config", "set", "temperature", "0.5")
    path = Path(oumi_here("config", "path").stdout.strip())
    assert "${MY_MODEL}" in path.read_text()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("remote_params.api_key", "sk-1", "is not saved, as it may hold a key"),
        ("remote_params.headers.x-key", "sk-1", "is not saved, as it may hold a key"),
        ("input_path", "a.jsonl", "of one run"),
        ("temprature", "1", "did you mean temperature or generation.temperature"),
        ("generation.temprature", "1", "did you mean 'temperature'?"),
        ("temperature", "hot", "generation.temperature"),
        ("engine", "OPNAI", "did you mean OPENAI?"),
    ],
)
def test_what_is_refused(oumi_here, name: str, value: str, said: str) -> None:
    done = oumi_here("config", "set", name, value)
    assert done.returncode == 2
    assert said in done.stderr
    assert "sk-1" not in done.stderr
    assert not Path(oumi_here("config", "path").stdout.strip()).exists()


def test_a_broken_file_is_named(oumi_here) -> None:
    path = Path(oumi_here("config", "path").stdout.strip())
    path.parent.mkdir(parents=True)
    path.write_text("generation:\n  temprature: 1\n")
    done = oumi_here("hi")
    assert done.returncode == 2
    assert f"{path}:2: generation.temprature: unknown setting" in done.stderr
    done = oumi_here("doctor")
    assert done.returncode == 5
    assert "temprature" in done.stdout
