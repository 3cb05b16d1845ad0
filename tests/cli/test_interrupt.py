"""Ctrl-C and SIGTERM in a file run, and how it goes on."""

import fcntl
import json
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ENDLESS, start, write_sums
from tests.cli.terminal import LIMIT_S, Terminal

SHORT = ("--generation.max_new_tokens", "8")


def files(name: str) -> tuple[str, ...]:
    return ("--input_path", "in.jsonl", "--output_path", name, *SHORT)


def wait_for_lines(journal: Path, count: int) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not journal.exists() or journal.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < end_s
        time.sleep(0.01)


def wait_until_all_is_read(run: subprocess.Popen[str]) -> None:
    """Wait until the process has read what was written to its standard input."""
    assert run.stdin is not None
    unread, end_s = struct.Struct("i"), time.monotonic() + LIMIT_S
    while unread.unpack(fcntl.ioctl(run.stdin, termios.FIONREAD, bytes(unread.size))) != (0,):
        assert time.monotonic() < end_s
        time.sleep(0.01)


def write_image_and_sums(path: Path, count: int) -> None:
    """A file of small questions below an image, which the model does not take.

    That row fails at once, which shows that the rows after it have been begun as well.
    """
    write_sums(path, count)
    image = {"type": "image_url", "content": "https://example.test/image.png"}
    first = {"messages": [{"role": "user", "content": [image]}]}
    path.write_text(json.dumps(first) + "\n" + path.read_text())


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_finishes_what_is_in_flight(oumi, tmp_path, number: int, code: int) -> None:
    write_sums(tmp_path / "in.jsonl", 300)
    run = start("infer", *files("out.jsonl"), cwd=tmp_path)
    wait_for_lines(tmp_path / "out.jsonl.journal", 20)
    run.send_signal(number)
    _, said = run.communicate(timeout=LIMIT_S)
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
    write_image_and_sums(tmp_path / "in.jsonl", 99)
    args = ("infer", "--input_path", "in.jsonl", "--output_path", "out.jsonl", *ENDLESS)
    with Terminal(*args, cwd=tmp_path) as terminal:
        terminal.expect("0/100 done · 1 failed")
        terminal.press_ctrl("c")
        terminal.expect("in flight are being finished")
        started_s = time.monotonic()
        terminal.press_ctrl("c")
        assert terminal.wait() == 130
        assert time.monotonic() - started_s < 10
    assert "Interrupted. 0 of 100 rows are done" in terminal.shown, "no answer was waited for"


def test_ctrl_c_while_waiting_for_standard_input(tmp_path) -> None:
    run = start("infer", "--input_path", "-", cwd=tmp_path)
    assert run.stdin is not None
    run.stdin.write("{")
    run.stdin.flush()
    wait_until_all_is_read(run)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=LIMIT_S) == 130
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
