"""`oumi models`, against a real server."""

from __future__ import annotations

import json

import pytest

from tests.fault_server import FaultServer


def options(server: FaultServer) -> list[str]:
    return ["--remote_params.api_url", server.api_url, "--remote_params.api_key", "sk-secret"]


def test_a_name_a_line(oumi, server: FaultServer) -> None:
    server.plan(models=["a/b", "c"])
    done = oumi("models", "openrouter", *options(server))
    assert (done.returncode, done.stdout, done.stderr) == (0, "a/b\nc\n", "")
    seen = server.stats()["last"][-1]
    assert (seen["method"], seen["path"]) == ("GET", "/v1/models")
    assert seen["headers"]["authorization"] == "Bearer sk-secret"


def test_models_that_do_not_chat_are_listed_where_asked_for(oumi, server: FaultServer) -> None:
    server.plan(models=["gpt-4o", "text-embedding-3-large"])
    assert oumi("models", "openrouter", *options(server)).stdout == "gpt-4o\n"
    done = oumi("models", "openrouter", "--all", *options(server))
    assert done.stdout == "gpt-4o\ntext-embedding-3-large\n"


def test_as_json(oumi, server: FaultServer) -> None:
    server.plan(models=["a", "b"])
    done = oumi("models", "REMOTE", "--json", "--remote_params.api_url", server.api_url)
    assert json.loads(done.stdout) == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["GROK"], 2, "did you mean GROQ?"),
        (["LLAMACPP"], 2, "LLAMACPP runs on this machine"),
        (["GROQ"], 3, "GROQ_API_KEY"),
        (["REMOTE"], 2, "remote_params.api_url or the environment variable OPENAI_BASE_URL"),
        (["REMOTE", "--remote_params.api_url", "localhost:1"], 4, "localhost:1"),
        (["REMOTE", "--remote_params.api_urll", "x"], 2, "api_url"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_goes_wrong(oumi, words: list[str], code: int, said: str) -> None:
    done = oumi("models", *words)
    assert done.returncode == code
    assert said in done.stderr


def test_an_api_that_refuses_the_key(oumi, server: FaultServer) -> None:
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    done = oumi("models", "GROQ", *options(server))
    assert done.returncode == 3
    assert "GROQ answered 401" in done.stderr
    assert "sk-secret" not in done.stderr


def test_an_api_that_has_no_list(oumi, server: FaultServer) -> None:
    done = oumi("models", "GOOGLE_VERTEX", *options(server))
    assert done.returncode == 2
    assert "GOOGLE_VERTEX does not list its models" in done.stderr
