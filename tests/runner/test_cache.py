"""The cache across runs: what comes from it, and that nothing wrong with it ends a run."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import oumi
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.logs import warn_once
from oumi.core.types import Message, Role
from oumi.errors import AccessError, ConfigError
from oumi.inference import OpenAIInferenceEngine, RemoteInferenceEngine
from oumi.runner.stats import RunStats
from tests.batch.local import finish, remote_engine
from tests.conftest import answers, ask, count_records
from tests.fault_server import FaultServer

RUN = """
import sys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
remote = RemoteParams(api_url=sys.argv[1], num_workers=4, use_adaptive_concurrency=False)
config = InferenceConfig(input_path=sys.argv[2], output_path=sys.argv[3], cache=sys.argv[4])
with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
    engine.infer(None, config)
"""


@pytest.fixture
def engine(server: FaultServer) -> Iterator[RemoteInferenceEngine]:
    with _engine(server.api_url) as engine:
        yield engine


def _engine(url: str) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=url, num_workers=20, retry_backoff_base=0.05)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def rows(count: int, first: int = 0) -> list[Any]:
    return [ask(f"row-{i}") for i in range(first, first + count)]


def requests(server: FaultServer) -> int:
    count: int = server.stats()["requests"]
    return count


def from_cache(conversations: Any) -> list[bool]:
    return [c.metadata.get("from_cache", False) for c in conversations]


def edit(cache: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(cache)) as connection, connection:
        connection.execute(statement, values)


def entries(cache: Path) -> int:
    with closing(sqlite3.connect(cache)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        count: int = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
    return count


def test_other_files_are_answered_from_the_cache(
    engine: RemoteInferenceEngine, server: FaultServer, cache: Path, tmp_path: Path
):
    config = InferenceConfig(cache=str(cache), output_path=str(tmp_path / "first.jsonl"))
    engine.infer(rows(6), config)
    stats, output = RunStats(), tmp_path / "second.jsonl"
    config = InferenceConfig(cache=str(cache), output_path=str(output))
    found = engine.infer(list(reversed(rows(8))), config, on_event=stats.update)
    assert answers(found) == [f"answer to row-{i}" for i in reversed(range(8))]
    assert from_cache(found) == [False] * 2 + [True] * 6
    assert requests(server) == 8
    assert (stats.done, stats.from_cache) == (8, 6)
    summary = json.loads(Path(f"{output}.run.json").read_text())
    assert (summary["from_cache"], summary["last_session"]["from_cache"]) == (6, 6)
    usages = [c.metadata["usage"]["prompt_tokens"] for c in found]
    assert summary["usage"]["prompt_tokens"] == stats.usage.prompt_tokens == sum(usages[:2])
    journal = Path(f"{output}.journal").read_text()
    assert journal.count('"from_cache":true') == 6, "an answer from the cache is recorded as well"


def test_an_answer_that_is_asked_for_does_not_say_what_the_one_before_it_was(
    engine: RemoteInferenceEngine, cache: Path, tmp_path: Path
):
    config = InferenceConfig(cache=str(cache))
    engine.infer(rows(1), config)
    [first] = engine.infer(rows(1), config)
    assert from_cache([first]) == [True]
    further = first.with_reply(Message(role=Role.USER, content="row-7"))
    assert from_cache(engine.infer([further], config)) == [False]
    to_file = config.merge(InferenceConfig(output_path=str(tmp_path / "out.jsonl"), cache=False))
    assert from_cache(engine.infer([further], to_file)) == [False]


def test_hits_cost_nothing(server: FaultServer, cache: Path):
    remote = RemoteParams(api_url=server.api_url, api_key="k")
    table = [{"text": f"row-{i}"} for i in range(3)]
    with OpenAIInferenceEngine(ModelParams(model_name="gpt-4o"), remote_params=remote) as engine:
        config = InferenceConfig(cache=str(cache))
        given = {"prompt": "{{ text }}", "config": config, "engine": engine}
        oumi.infer_table(table[:2], **given)
        costs = [row["cost_usd"] for row in oumi.infer_table(table, **given)]
    assert costs[:2] == [0, 0]
    assert costs[2] > 0


def test_no_cache_unless_it_is_asked_for(engine: RemoteInferenceEngine, server: FaultServer):
    for _ in range(2):
        engine.infer(rows(1))
    assert requests(server) == 2
    assert not list(Path.home().rglob("*.sqlite"))
    for _ in range(2):
        engine.infer(rows(1), InferenceConfig(cache=True))
    assert requests(server) == 3
    assert len(list(Path.home().rglob("oumi/answers.sqlite"))) == 1


def test_equal_rows_and_samples_have_entries_of_their_own(
    engine: RemoteInferenceEngine, server: FaultServer, cache: Path
):
    def run(given: list[Any], samples: int) -> list[bool]:
        generation = GenerationParams(n=samples, temperature=1.0)
        config = InferenceConfig(cache=str(cache), generation=generation)
        return from_cache(engine.infer(given, config))

    equal = [*rows(1), *rows(1)]
    assert run(equal, 2) == [False] * 4
    assert run(equal, 2) == [True] * 4
    assert run([*equal, *rows(1)], 3) == [True, True, False] * 2 + [False] * 3
    assert requests(server) == 9


def test_what_shapes_an_answer_asks_again(server: FaultServer, cache: Path):
    changes: list[dict[str, Any]] = [
        {},
        {"generation": GenerationParams(temperature=0.5)},
        {"generation": GenerationParams(max_new_tokens=9)},
        {"model": ModelParams(model_name="other")},
    ]
    with _engine(server.api_url) as engine:
        for change in changes:
            engine.infer(rows(1), InferenceConfig(cache=str(cache), **change))
    assert requests(server) == 4
    # Two servers may call two models the same.
    with FaultServer() as other, _engine(other.api_url) as engine:
        engine.infer(rows(1), InferenceConfig(cache=str(cache)))
        assert requests(other) == 1


def test_failures_are_no_answers(engine: RemoteInferenceEngine, server: FaultServer, cache: Path):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 400}]})
    config = InferenceConfig(cache=str(cache))
    assert engine.infer_partial(rows(2), config).failed_indices == [1]
    assert from_cache(engine.infer(rows(2), config)) == [True, False]


def test_a_repaired_answer_comes_as_it_was(
    engine: RemoteInferenceEngine, server: FaultServer, cache: Path
):
    wrong, right = {"content": "none"}, {"content": '{"n": 3}'}
    server.plan(faults=[{"kind": "answer", "message": wrong, "times": 1}], message=right)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    generation = GenerationParams(guided_decoding=GuidedDecodingParams(json=schema))
    config = InferenceConfig(cache=str(cache), generation=generation)
    [first], [again] = engine.infer(rows(1), config), engine.infer(rows(1), config)
    assert requests(server) == 2
    assert again.messages == first.messages
    assert again.metadata == {**first.metadata, "from_cache": True}
    assert again.metadata["structured"] == "repaired"


def test_two_processes_fill_and_read_one_cache(
    server: FaultServer, cache: Path, tmp_path: Path, write_jsonl: Callable[..., Path]
):
    server.plan(latency_ms=2)
    parts = [write_jsonl(rows(400, first), f"in{first}.jsonl") for first in (0, 200)]
    started = [
        _start(server, part, tmp_path / f"out{at}.jsonl", cache) for at, part in enumerate(parts)
    ]
    assert [process.wait(60) for process in started] == [0, 0]
    assert entries(cache) == 600
    before = requests(server)
    assert 600 <= before <= 800
    output = tmp_path / "out.jsonl"
    assert _start(server, write_jsonl(rows(600), "whole.jsonl"), output, cache).wait(60) == 0
    assert requests(server) == before
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["messages"][-1]["content"] for line in lines] == [
        f"answer to row-{i}" for i in range(600)
    ]


def test_a_kill_leaves_a_whole_cache(
    server: FaultServer, cache: Path, tmp_path: Path, write_jsonl: Callable[..., Path]
):
    server.plan(latency_ms=5)
    source, output = write_jsonl(rows(300)), tmp_path / "out.jsonl"
    process = _start(server, source, output, cache)
    while count_records(Path(f"{output}.journal")) < 100:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept, before = count_records(Path(f"{output}.journal")), requests(server)
    assert 0 < entries(cache) <= kept, "no answer is in the cache before it is in the journal"
    assert _start(server, source, output, cache).wait(60) == 0
    assert requests(server) == before + 300 - kept
    assert "from_cache" not in output.read_text()


def _start(server: FaultServer, source: Path, output: Path, cache: Path) -> Any:
    command = [sys.executable, "-c", RUN, server.api_url, str(source), str(output), str(cache)]
    return subprocess.Popen(command, env=os.environ)


def _garbage(cache: Path) -> None:
    cache.write_bytes(b"this is no database" * 1000)


def _of_another_program(cache: Path) -> None:
    edit(cache, "CREATE TABLE bookmarks (url TEXT)")


def _of_a_later_version(cache: Path) -> None:
    edit(cache, "PRAGMA user_version = 99")


def _a_folder(cache: Path) -> None:
    cache.unlink()
    cache.mkdir()


def _damaged_pages(cache: Path) -> None:
    content = bytearray(cache.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    cache.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_garbage, "file is not a database"),
        (_of_another_program, "a database of another program"),
        (_of_a_later_version, "a cache of a later version"),
        (_a_folder, "unable to open database file"),
        (_damaged_pages, "malformed"),
    ],
)
def test_a_cache_that_cannot_be_used_costs_no_run(
    damage: Callable[[Path], None],
    reason: str,
    engine: RemoteInferenceEngine,
    server: FaultServer,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
):
    config = InferenceConfig(cache=str(cache))
    if damage is not _of_another_program:
        engine.infer(rows(3), config)
    damage(cache)
    before = cache.read_bytes() if cache.is_file() else b""
    server.reset()
    with caplog.at_level(logging.WARNING, "oumi"):
        assert len(engine.infer(rows(5), config)) == 5
    assert requests(server) == 5
    [warning] = [record.getMessage() for record in caplog.records]
    assert str(cache) in warning
    assert reason in warning
    assert warning.endswith("The run goes on without it")
    assert not cache.is_file() or cache.read_bytes() == before, "it is left as it is"


def test_a_cache_that_others_hold_costs_no_run(
    engine: RemoteInferenceEngine,
    server: FaultServer,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
):
    config = InferenceConfig(cache=str(cache))
    engine.infer(rows(2), config)
    with closing(sqlite3.connect(cache, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with caplog.at_level(logging.WARNING, "oumi"):
            found = engine.infer(rows(3), config)
    assert from_cache(found) == [True, True, False], "readers do not wait"
    assert "database is locked. The run goes on without it" in caplog.text
    assert entries(cache) == 2


def test_a_damaged_entry_is_asked_for_again_and_replaced(
    engine: RemoteInferenceEngine, server: FaultServer, cache: Path
):
    config = InferenceConfig(cache=str(cache))
    engine.infer(rows(2), config)
    edit(cache, "UPDATE answers SET answer = substr(answer, 1, 20) WHERE rowid = 1")
    assert sorted(from_cache(engine.infer(rows(2), config))) == [False, True]
    assert from_cache(engine.infer(rows(2), config)) == [True, True]
    assert requests(server) == 3


def test_a_job_on_this_machine_uses_it(server: FaultServer, cache: Path):
    config = InferenceConfig(cache=str(cache))
    with remote_engine(server.api_url) as engine:
        engine.infer(rows(2), config)
        batch_id = engine.infer_batch(rows(3), config)
        finish(engine, batch_id)
        assert from_cache(engine.get_batch_results(batch_id)) == [True, True, False]
    assert requests(server) == 3


def test_a_job_at_an_api_says_that_it_does_not(
    engine: RemoteInferenceEngine, cache: Path, caplog: pytest.LogCaptureFixture
):
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, "oumi"):
        engine.infer_batch(rows(2), InferenceConfig(cache=str(cache)))
    assert "cache: runs use it; a job that is submitted does not" in caplog.text
    assert not cache.exists()


def test_where_a_cache_may_lie(engine: RemoteInferenceEngine, cache: Path):
    config = InferenceConfig(cache=str(cache), output_path=str(cache))
    with pytest.raises(ConfigError, match="cache and output_path are the same file"):
        engine.infer(rows(1), config)
    assert InferenceConfig(cache=None).cache is False
    for wrong in (" ", 3):
        with pytest.raises(ValidationError, match="expected true, false or a path"):
            InferenceConfig(cache=wrong)


def test_hits_do_not_hide_a_wrong_key(
    engine: RemoteInferenceEngine, server: FaultServer, cache: Path
):
    config = InferenceConfig(cache=str(cache))
    engine.infer(rows(50)[::2], config)
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    with pytest.raises(AccessError):
        engine.infer(rows(50), config)
    assert requests(server) < 25
