"""Inputs that take long to check: rows are asked before all are, and nothing is asked twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import InputError, OumiError
from oumi.inference import RemoteInferenceEngine
from oumi.runner.events import Event, RowsCounted, RunStarted
from tests.conftest import count_records
from tests.fault_server import FaultServer

SLOW = "{% for n in range(60000) %}{% endfor %}{{ text }}"
"""A prompt that takes more than a millisecond to make, so that few rows take long to check."""
QUICK = "{{ text }}"
"""The same prompt."""
BAD = 700
"""The number of a row that cannot be read: it comes after more than half a second of checking."""
SLOW_ROWS = 20_000
"""More than can be checked in two seconds."""

MANY = 2_500
"""More rows than are kept in memory once they are checked."""


def engine(server: FaultServer, num_workers: int) -> RemoteInferenceEngine:
    remote = RemoteParams(
        api_url=server.api_url, num_workers=num_workers, use_adaptive_concurrency=False
    )
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def table(folder: Path, count: int, prompt: str = QUICK) -> InferenceConfig:
    lines = [f"row-{i}," for i in range(count)]
    if prompt == SLOW:
        lines[BAD] = f"row-{BAD}"
    source = folder / "in.csv"
    source.write_text("\n".join(["text,note", *lines]))
    return InferenceConfig(
        input_path=str(source), output_path=str(folder / "out.jsonl"), prompt=prompt
    )


def many_rows(folder: Path, count: int) -> InferenceConfig:
    source = folder / "in.jsonl"
    rows = [{"messages": [{"role": "user", "content": f"row-{i}"}]} for i in range(count)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return InferenceConfig(input_path=str(source), output_path=str(folder / "out.jsonl"))


def test_a_bad_row_that_is_found_later_ends_the_run_and_keeps_what_was_answered(
    server: FaultServer, tmp_path: Path
):
    config = table(tmp_path, SLOW_ROWS, SLOW)
    events: list[Event] = []
    with pytest.raises(InputError) as caught:
        engine(server, 8).infer(None, config, on_event=events.append)
    message, kept = str(caught.value).splitlines()
    assert message == f"{tmp_path}/in.csv:{BAD + 2}: 1 values for 2 columns"
    assert "What was answered until then is kept" in kept
    started = next(event for event in events if isinstance(event, RunStarted))
    assert started.is_estimate
    assert abs((started.total or 0) - SLOW_ROWS) < SLOW_ROWS / 10

    answered = server.answered()
    journal = tmp_path / "out.jsonl.journal"
    assert 0 < len(answered) == count_records(journal)
    assert len(caught.value.result.conversations) == len(answered)
    rows = BAD + 20
    result = engine(server, 8).infer(None, table(tmp_path, rows))
    assert [row[-1].content for row in result] == [f"answer to row-{i}" for i in range(rows)]
    assert set(server.answered().values()) == {1}, "what was recorded is not asked again"


def test_the_check_goes_on_while_answers_are_waited_for(server: FaultServer, tmp_path: Path):
    server.plan(latency_ms=1000)
    with pytest.raises(InputError, match=rf"in.csv:{BAD + 2}: "):
        engine(server, 2).infer(None, table(tmp_path, SLOW_ROWS, SLOW))
    assert 0 < len(server.answered()) < BAD / 10, "it is found long before its turn"


def test_rows_are_looked_up_in_the_journal_as_their_turn_comes(server: FaultServer, tmp_path: Path):
    done, output = MANY - 500, tmp_path / "out.jsonl"
    engine(server, 64).infer(None, many_rows(tmp_path, done))
    output.unlink()
    before = server.stats()["requests"]
    assert before == done

    server.plan(scripts={f"row-{done}": [{"kind": "status", "code": 401, "times": None}]})
    with pytest.raises(OumiError) as caught:
        engine(server, 1).infer(None, many_rows(tmp_path, MANY))
    assert server.stats()["requests"] == 1
    assert list(caught.value.result.rows) == list(range(done))

    server.plan()
    counts: list[RowsCounted] = []
    result = engine(server, 64).infer(
        None,
        many_rows(tmp_path, MANY),
        on_event=lambda event: counts.append(event) if isinstance(event, RowsCounted) else None,
    )
    assert counts[-1] == RowsCounted(MANY, done, is_estimate=False)
    assert server.answered() == {f"row-{i}": 1 for i in range(done, MANY)}
    assert [row[-1].content for row in result] == [f"answer to row-{i}" for i in range(MANY)]
    assert json.loads((tmp_path / "out.jsonl.run.json").read_text())["done"] == MANY
