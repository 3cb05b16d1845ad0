"""The progress of a run, elsewhere than on a terminal."""

import io
from datetime import datetime, timedelta

import pytest

from oumi.cli import summary
from oumi.core.configs import InferenceConfig
from oumi.core.types import Completion, Failure, Message, Role, Usage
from oumi.progress.formatting import format_duration, format_number
from oumi.progress.line import Throughput, progress_line
from oumi.progress.progress import Progress
from oumi.runner.events import (
    Resumed,
    RowDone,
    RowFailed,
    RowsCounted,
    RunEnded,
    RunStarted,
    Stopping,
    Waiting,
)
from oumi.runner.stats import RunStats

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
    stats, throughput = RunStats(), Throughput()
    stats.update(RunStarted(None, 0, "OPENAI", None, is_estimate=True))
    throughput.update(stats)
    assert progress_line(stats, throughput).startswith("0/? done · ")
    stats.update(RowsCounted(1_200, 3, is_estimate=True))
    assert progress_line(stats, throughput).startswith("3/~1,200 done · ")
    assert stats.kept("a.journal") == "3 of ~1,200 rows are done and kept in a.journal"
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
    throughput = Throughput()
    throughput.update(progress.stats)
    assert "waiting" not in progress_line(progress.stats, throughput)


def test_a_wait_names_the_day_where_it_is_not_today() -> None:
    later = datetime.now().astimezone() + timedelta(days=2)
    text = Waiting("slow down", later, is_outage=False).text
    assert text == f"waiting until {later:%Y-%m-%d %H:%M}: slow down"
    text = Waiting("h: cannot connect", later, is_outage=True).text
    assert (
        text == f"waiting for the server, until {later:%Y-%m-%d %H:%M} at most: h: cannot connect"
    )


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
