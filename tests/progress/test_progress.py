"""The progress of a run, elsewhere than on a terminal."""

import io
from datetime import datetime, timedelta

import pytest

from oumi.cli import summary
from oumi.core.configs import InferenceConfig
from oumi.core.types import Completion, Failure, Message, Role, Usage
from oumi.progress.formatting import format_duration, format_number
from oumi.progress.line import progress_line
from oumi.progress.progress import Progress
from oumi.progress.workers import worker_lines
from oumi.runner.events import (
    Resumed,
    RowDone,
    RowFailed,
    RowsCounted,
    RunEnded,
    RunStarted,
    Stopping,
    Waiting,
    WorkersReported,
)
from oumi.runner.stats import RunStats
from oumi.runner.throughput import Throughput
from oumi.runner.worker_status import WorkerState, WorkerStatus

ANSWER = Completion(Message(role=Role.ASSISTANT, content="4"), usage=Usage(10, 5))


def test_lines() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress(RunStarted(4, 1, "LLAMACPP", "out.jsonl"))
        assert progress.is_running
        progress(RowDone(1, ANSWER, 0.1))
        progress(RowFailed(2, Failure("InputError", "no"), 0.1))
        progress(Stopping(1))
        progress(RowDone(3, ANSWER, 0.1))
        progress(RunEnded())
        assert not progress.is_running
    lines = stream.getvalue().splitlines()
    assert "Stopping: 1 in flight are being finished. Ctrl-C again stops at once." in lines
    assert lines[-1].startswith("3/4 done · 1 failed · ")
    assert lines[-1].endswith(" tokens/s · latency 0.10 s")
    assert progress.stats.usage.completion_tokens == 10


def test_rows_that_are_not_counted_yet() -> None:
    stats = RunStats()
    stats.update(RunStarted(None, 0, "OPENAI", None, is_estimate=True))
    throughput = Throughput(stats.started_s)
    assert progress_line(stats, throughput).startswith("0/? done · ")
    stats.update(RowsCounted(1_200, 3, is_estimate=True))
    assert progress_line(stats, throughput).startswith("3/~1,200 done · ")
    assert stats.kept("a") == "3 of ~1,200 rows are done and kept in a.journal"
    stats.update(RowsCounted(1_234, 3, is_estimate=False))
    assert progress_line(stats, throughput).startswith("3/1,234 done · ")


def test_what_is_waited_for() -> None:
    soon = datetime.now().astimezone() + timedelta(seconds=1)
    shown = f"waiting until {soon:%H:%M}: daily limit reached"
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress(RunStarted(2, 0, "OPENAI", None))
        progress(Waiting("daily limit reached", soon, is_outage=False))
        progress(RowDone(0, ANSWER, 0.1))
    assert shown in stream.getvalue().splitlines()
    assert f" · {shown}" in stream.getvalue().splitlines()[-1]
    progress(Resumed())
    throughput = Throughput(progress.stats.started_s)
    assert "waiting" not in progress_line(progress.stats, throughput)


def test_a_wait_names_the_day_where_it_is_not_today() -> None:
    later = datetime.now().astimezone() + timedelta(days=2)
    text = Waiting("slow down", later, is_outage=False).text
    assert text == f"waiting until {later:%Y-%m-%d %H:%M}: slow down"
    text = Waiting("h: cannot connect", later, is_outage=True).text
    assert (
        text == f"waiting for the server, until {later:%Y-%m-%d %H:%M} at most: h: cannot connect"
    )


def _workers(count: int) -> tuple[WorkerStatus, ...]:
    return tuple(
        WorkerStatus(f"worker {n}", f"node-{n}", WorkerState.READY, 8, 1_000 * n, 50_000, 10.0, 250)
        for n in range(1, count + 1)
    )


def test_the_workers_of_a_cluster_have_lines_of_their_own() -> None:
    stream = io.StringIO()
    starting = WorkerStatus("worker 13", None, WorkerState.STARTING)
    with Progress(stream) as progress:
        progress(RunStarted(5_000, 0, "VLLM", None))
        progress(WorkersReported((*_workers(2), starting)))
        progress(RowDone(0, ANSWER, 0.1))
    assert progress.stats.workers[1].rows == 2_000
    assert stream.getvalue().splitlines()[-3:] == [
        "worker 1   ready     1,000 rows  8 in flight  250 tokens/s  node-1",
        "worker 2   ready     2,000 rows  8 in flight  250 tokens/s  node-2",
        "worker 13  starting      0 rows  0 in flight  0.0 tokens/s",
    ]


def test_of_many_workers_those_that_are_not_ready_come_first() -> None:
    lost = WorkerStatus("worker 99", "node-99", WorkerState.LOST, 0, 5, 10)
    lines = worker_lines([*_workers(98), lost], 60)
    assert len(lines) == 8
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("worker 99  lost ")
    assert lines[1].startswith("worker 1   ready ")
    rows = sum(1_000 * n for n in range(7, 99))
    assert " ".join(lines[-1].split()).startswith(
        f"92 more 92 ready {rows:,} rows 736 in flight 23"
    )


def test_without_a_cluster_there_are_none() -> None:
    assert worker_lines(()) == []


def test_nothing_to_do_shows_nothing() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress(RunStarted(4, 4, "LLAMACPP", "out.jsonl"))
    assert stream.getvalue() == ""


def test_a_display_that_goes_away_does_not_matter() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress:
        stream.close()
        progress(RunStarted(1, 0, "LLAMACPP", None))
        progress(RowDone(0, ANSWER, 0.1))
        progress(RunEnded())
    assert progress.stats.done == 1


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (61, "1:01"), (3723, "1:02:03")]
)
def test_duration(seconds: float, shown: str) -> None:
    assert format_duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0"), (9.96, "10.0"), (99.94, "99.9"), (12345.6, "12,346")]
)
def test_number(value: float, shown: str) -> None:
    assert format_number(value) == shown


def test_the_summary_tells_what_a_cache_saved() -> None:
    config = InferenceConfig(output_path="out.jsonl")
    cached, plain = RunStats(total=1, done=1), RunStats(total=1, done=1)
    cached.paid.add(Usage(9_000, 5, 4_000, 0, 2_000))
    plain.paid.add(Usage(9, 5))
    read_and_written = "9,000 in (4,000 read from a cache, 2,000 written to one), 5 out"
    assert read_and_written in summary.finished(cached, config)
    assert "9 in, 5 out" in summary.finished(plain, config)
