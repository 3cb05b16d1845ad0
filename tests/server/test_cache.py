"""Answers from the cache of runs: what clients see of it, and what is asked and counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.server.process import Serve
from tests.server.test_behaviour import CHAT, asked, until

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


@pytest.fixture
def cached(server: FaultServer, cache: Path) -> Iterator[Serve]:
    """A server with a cache, in front of the fault server."""
    model = ["-m", "big", "--engine", "REMOTE", "--remote_params.api_url", server.api_url]
    with Serve(*model, "--cache", cache, HOME=str(cache.parent)) as serve:
        yield serve


def post(serve: Serve, row: str = "row-1", **fields: Any) -> tuple[str, Any]:
    """What the header says of the cache, and the reply."""
    reply = serve.client.post(CHAT, json=asked("big", row, **fields)).raise_for_status()
    return reply.headers["x-oumi-cache"], reply


def until_kept(serve: Serve, row: str, **fields: Any) -> None:
    """Ask until the answer is kept, which is a moment after it was given."""
    until(lambda: post(serve, row, **fields)[0] == "hit")


def test_a_request_that_comes_again_is_not_asked_again(cached: Serve, server: FaultServer):
    said, first = post(cached)
    assert said == "miss"
    until_kept(cached, "row-1")
    before = server.stats()["requests"]
    prompt = cached.metric('oumi_tokens_total{key="",kind="prompt",model="big"}')
    hits = cached.metric('oumi_cache_hits_total{key="",model="big"}')
    said, again = post(cached)
    assert said == "hit"
    assert again.json()["choices"] == first.json()["choices"]
    assert again.json()["usage"] == first.json()["usage"], "what it took when it was asked"
    assert server.stats()["requests"] == before
    assert cached.metric('oumi_tokens_total{key="",kind="prompt",model="big"}') == prompt
    assert cached.metric('oumi_cache_hits_total{key="",model="big"}') == hits + 1
    for other in ({"row": "row-2"}, {"temperature": 0.5}, {"max_tokens": 7}):
        assert post(cached, **other)[0] == "miss"


def test_streams_and_whole_answers_have_one_cache(cached: Serve, server: FaultServer):
    server.plan(message={"content": "one two three"})
    options = {"stream": True, "stream_options": {"include_usage": True}}
    said, streamed = post(cached, **options)
    assert said == "miss"
    until_kept(cached, "row-1")
    assert server.stats()["requests"] >= 1
    before = server.stats()["requests"]
    said, reply = post(cached, **options)
    assert said == "hit"
    assert reply.text.endswith("data: [DONE]\n\n")
    with cached.openai.chat.completions.stream(
        **asked("big"), stream_options={"include_usage": True}
    ) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "one two three"
    assert final.usage is not None
    assert final.usage.total_tokens > 0
    assert server.stats()["requests"] == before
    assert '"total_tokens"' in streamed.text


def test_other_apis_take_answers_from_it_too(cached: Serve, server: FaultServer):
    call = {"model": "big", "max_tokens": 9, "messages": asked("big")["messages"]}
    first = cached.anthropic.messages.create(**call)
    until_kept(cached, "row-1", max_tokens=9)
    before = server.stats()["requests"]
    again = cached.anthropic.messages.with_raw_response.create(**call)
    assert again.headers["x-oumi-cache"] == "hit"
    assert again.parse().content == first.content
    with cached.anthropic.messages.stream(**call) as stream:
        assert stream.get_final_text() == first.content[0].text
    reply = cached.openai.responses.with_raw_response.create(
        model="big", input="row-1", max_output_tokens=9
    )
    assert reply.headers["x-oumi-cache"] == "hit"
    assert server.stats()["requests"] == before


def test_samples_are_kept_one_by_one(cached: Serve, server: FaultServer):
    settings = {"temperature": 1.0, "n": 3}
    until_kept(cached, "row-1", **settings)
    before = server.stats()["requests"]
    assert post(cached, n=2, temperature=1.0)[0] == "hit"
    assert server.stats()["requests"] == before
    assert post(cached, n=4, temperature=1.0)[0] == "miss"
    assert server.stats()["requests"] == before + 1


def test_repaired_answers_are_kept_and_errors_are_not(cached: Serve, server: FaultServer):
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    bad = {"kind": "answer", "message": {"content": "{}"}, "times": None}
    server.plan(faults=[bad])
    refused = cached.client.post(CHAT, json=asked("big", response_format=form))
    assert refused.status_code == 422
    server.plan(faults=[bad | {"mended": {"content": '{"a":1}'}}])
    assert post(cached, response_format=form)[0] == "miss"
    until_kept(cached, "row-1", response_format=form)
    said, reply = post(cached, response_format=form, stream=True)
    assert said == "hit"
    assert '{\\"a\\":1}' in reply.text


def test_runs_and_the_server_share_it_while_both_fill_it(
    cached: Serve, server: FaultServer, cache: Path
):
    run = """
import sys
from tests.server.test_cache import infer_rows
infer_rows(*sys.argv[1:])
"""
    command = [sys.executable, "-c", run, server.api_url, str(cache)]
    with ThreadPoolExecutor(8) as threads:
        running = threads.submit(subprocess.run, command, check=True, timeout=60)
        own = [threads.submit(post, cached, f"row-{n}") for n in range(300, 600)]
        assert all(one.result()[1].status_code == 200 for one in own)
        running.result()
    for row in ("row-0", "row-299", "row-300", "row-599"):
        until_kept(cached, row)
    before = server.stats()["requests"]
    assert all(post(cached, f"row-{n}")[0] == "hit" for n in range(600))
    assert server.stats()["requests"] == before
    infer_rows(server.api_url, str(cache), 600)
    assert server.stats()["requests"] == before


def test_what_a_key_takes_from_the_cache_costs_it_nothing(
    server: FaultServer, cache: Path, tmp_path: Path
):
    keys = tmp_path / "keys.yaml"
    keys.write_text("keys: {alice: {key: a-long-secret, max_total_tokens: 2000}}\n")
    model = ["-m", "big", "--engine", "REMOTE", "--remote_params.api_url", server.api_url]
    key = {"key": "a-long-secret", "HOME": str(tmp_path)}
    with Serve("-c", keys, *model, "--cache", cache, **key) as serve:
        serve.client.headers["x-api-key"] = "a-long-secret"
        until_kept(serve, "row-1")
        spent = serve.metric('oumi_key_spent_tokens{key="alice"}')
        assert spent > 0
        for stream in (False, True):
            assert post(serve, stream=stream)[0] == "hit"
        assert serve.metric('oumi_key_spent_tokens{key="alice"}') == spent


def test_a_file_that_is_no_cache_is_said_before_the_server_is_ready(oumi, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("not a database, and long enough not to be an empty one")
    done = oumi("serve", "--cache", "notes.txt", "--port", "0")
    assert done.returncode == 5
    assert "notes.txt: the cache cannot be read" in done.stderr


def infer_rows(url: str, cache: str, count: int = 300) -> None:
    """A run over rows from 0 on, with the settings that requests here have."""
    config = InferenceConfig(cache=cache, generation=GenerationParams())
    remote = RemoteParams(api_url=url)
    with RemoteInferenceEngine(ModelParams(model_name="big"), remote_params=remote) as engine:
        engine.infer([ask(f"row-{n}") for n in range(count)], config)
