"""Runs of one input in figures."""

from __future__ import annotations

from pathlib import Path

from oumi.core.types.completion import Completion, Usage
from oumi.core.types.failure import Failure
from oumi.core.types.message import Message, Role
from oumi.report.agreement import Agreement
from oumi.report.comparison import compare_runs
from oumi.report.output_rows import open_run
from tests.conftest import ask
from tests.report.runs import PRICE, Made, write_run


def run_of(path: Path, *texts: str | None) -> Path:
    """A run with these answers; None for a row that failed."""
    made = []
    for number, text in enumerate(texts):
        outcome: Completion | Failure = Failure("RequestError", "no", attempts=1)
        if text is not None:
            message = Message(role=Role.ASSISTANT, content=text)
            outcome = Completion(message, usage=Usage(10, 5))
        made.append(Made(ask(f"row {number}"), outcome, latency_s=1.0))
    return write_run(path, made)


def test_equal_values_agree_however_they_are_written(tmp_path: Path) -> None:
    one = run_of(tmp_path / "a.jsonl", '{"a": 1, "b": "x"}', "yes", None, "no", "same ")
    other = run_of(tmp_path / "b.jsonl", '{"b":"x","a":1}', "Yes", "yes", None, "same ")
    first, second = compare_runs((open_run(path), 1) for path in (one, other))
    assert (first.done, first.failed, first.agreement) == (4, 1, None)
    assert second.agreement == Agreement(same=2, both=3)
    assert first.completion_tokens == 20
    assert first.cost_usd == PRICE.cost(Usage(40, 20))
    assert first.latency_s is not None
    assert all(abs(seconds - 1) < 0.01 for seconds in first.latency_s)


def test_samples_stand_beside_the_row_that_was_asked_once(tmp_path: Path) -> None:
    """The first sample counts, so that each row does so once."""
    once = run_of(tmp_path / "a.jsonl", "a", "b")
    twice = run_of(tmp_path / "b.jsonl", "a", "x", "c", "b")
    _, second = compare_runs([(open_run(once), 1), (open_run(twice), 2)])
    assert second.agreement == Agreement(same=1, both=2)


def test_a_run_that_is_not_finished_is_compared_by_its_journal(tmp_path: Path) -> None:
    one = run_of(tmp_path / "a.jsonl", "a", "b", "c")
    other = run_of(tmp_path / "b.jsonl", "a", "x", None)
    other.unlink()
    _, second = compare_runs((open_run(path), 1) for path in (one, other))
    assert (second.done, second.failed) == (2, 1)
    assert second.agreement == Agreement(same=1, both=2)
