"""Ctrl-C and SIGTERM in a file run, and how it goes on."""

import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ENDLESS, start, write_sums
from tests.cli.terminal import Terminal

SHORT = ("--generation.max_new_tokens", "8")


def files(name: str) -> tuple[str, ...]:
    return ("--input_path", "in.jsonl", "--output_path", name, *SHORT)


def wait_for_lines(journal: Path, count: int) -> None:
    end_s = time.monotonic() + 30
    while not journal.exists() or journal.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_finishes_what_is_in_flight(oumi, tmp_path, number: int, code: int) -> None:
    write_sums(tmp_path / "in.jsonl", 300)
    run = start("infer", *files("out.jsonl"), cwd=tmp_path)
    wait_for_lines(tmp_path / "out.jsonl.journal", 20)
    run.send_signal(number)
    _, said = run.communicate(timeout=30)
    assert run.returncode == code, said
    assert "are being finished" in said
    assert "rows are done and kept in out.jsonl.journal" in said
    assert f"oumi infer {' '.join(files('out.jsonl'))}" in said
    assert not (tmp_path / "out.jsonl").exists()
    recorded = (tmp_path / "out.jsonl.journal").read_bytes().count(b"\n") - 1
    assert 20 <= recorded < 300
    assert f"{recorded} of 300 rows" in said

    again = oumi("infer", *files("out.jsonl"))
    assert again.returncode == 0
    assert f"{300 - recorded} done, 0 failed, {recorded} answered before" in again.stderr
    assert oumi("infer", *files("unbroken.jsonl"), "-q").returncode == 0
    whole = (tmp_path / "unbroken.jsonl").read_bytes()
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_second_ctrl_c_stops_at_once(tmp_path) -> None:
    write_sums(tmp_path / "in.jsonl", 100)
    args = ("infer", "--input_path", "in.jsonl", "--output_path", "out.jsonl", *ENDLESS)
    with Terminal(*args, cwd=tmp_path) as terminal:
        terminal.expect("0/100 done")
        time.sleep(0.3)
        terminal.press_ctrl("c")
        terminal.expect("in flight are being finished")
        started_s = time.monotonic()
        terminal.press_ctrl("c")
        assert terminal.wait() == 130
        assert time.monotonic() - started_s < 4
    assert "Interrupted. 0 of 100 rows are done" in terminal.shown


def test_ctrl_c_while_waiting_for_standard_input(tmp_path) -> None:
    run = start("infer", "--input_path", "-", cwd=tmp_path)
    assert run.stdin is not None
    run.stdin.write("{")
    run.stdin.flush()
    time.sleep(1.5)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=10) == 130
    assert "before the first row" in run.communicate()[1]


def test_bar_on_a_terminal(tmp_path) -> None:
    write_sums(tmp_path / "in.jsonl", 60)
    with Terminal("infer", *files("-"), cwd=tmp_path) as terminal:
        terminal.expect("0/60 done · 0 failed")
        terminal.expect("tokens/s")
        assert terminal.wait() == 0
    assert terminal.shown.count('"conversation_id"') == 60
    end = terminal.shown[terminal.shown.rindex('"sum-59"') :]
    assert "rows/s" in end
    assert "━" not in end
