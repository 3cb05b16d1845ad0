"""What has to hold after a call and after a round, whatever happened in it."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.campaign.calls import Ended
from tests.campaign.record import Record
from tests.campaign.rows import Row, question_of

EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 130, 143, -2, -9, -15}
"""Those that docs/errors.md names but for a bug's, and ends by a signal."""
_WORKER_ENDS_S = 20  # a worker lets go of its job, and then unloads its model


class BrokenError(AssertionError):
    """A promise was not kept."""


def check(holds: object, what: str) -> None:
    """Raise BrokenError unless something holds."""
    if not holds:
        raise BrokenError(what)


def check_call(ended: Ended, key: str) -> None:
    """The end of one call of the command: no exception of others, no key."""
    code, printed = ended.code, ended.printed
    check(code in EXIT_CODES, f"exit code {code} ({ended.disk}): {printed[-2000:]}")
    check("Traceback (most recent" not in printed, f"a traceback: {printed[-3000:]}")
    check(key not in printed, "the key was printed")


def check_kept(before: Record, now: Record) -> None:
    """A call adds to the journal and takes nothing from it, and records no row twice."""
    check(now.lines[: len(before.lines)] == before.lines, "lines of the journal were changed")
    twice = {key for key, count in now.keys.items() if count > max(1, before.keys[key])}
    check(not twice, f"{len(twice)} rows were recorded twice")


def check_not_asked(before: Record, requests: Counter[str], later: Counter[str]) -> None:
    """The server saw no request for a row whose answer was recorded before the call."""
    recorded = {answer.removeprefix("answer to ") for answer in before.answers}
    again = {row: later[row] - requests[row] for row in recorded if later[row] > requests[row]}
    check(not again, f"recorded, and asked again: {again}")


def check_recorded(answered: int, recorded: int, in_flight: int) -> None:
    """Answers that the server gave in a call are in the journal, but for those in flight."""
    lost = answered - recorded
    check(lost <= in_flight, f"{lost} answers are not recorded, {in_flight} were in flight")


def check_output(output: Path, rows: list[Row], answers: dict[str, str]) -> None:
    """Each row stands in the output, in order, with the answer to its question."""
    lines = _read_lines(output)
    check(len(lines) == len(rows), f"{len(lines)} rows in place of {len(rows)}")
    for row, line in zip(rows, lines, strict=True):
        question, answer = question_of(row), line["messages"][-1]["content"]
        check(line["number"] == row["number"], f"row {row['number']} is not in its place")
        check(answers[question] == answer, f"{answer!r} stands at {question!r}")
        check(line.get("tools") == row.get("tools"), f"the tools of {question!r} were changed")


def check_failures(failures: Path, bad: int) -> None:
    """The rows that cannot be read are all that failed."""
    found = _read_lines(failures) if failures.exists() else []
    check(len(found) == bad, f"{len(found)} failures in place of {bad}: {found[:3]}")


def check_files(folder: Path, key: str) -> None:
    """No file holds the key, and none is left unfinished."""
    for path in folder.rglob("*"):
        if path.is_file():
            check(key.encode() not in path.read_bytes(), f"the key stands in {path}")
            check(not path.name.endswith(".oumi-partial"), f"{path} is left over")


def check_processes(marker: str) -> None:
    """No process that works in the round's folder is left."""
    ends_s = time.monotonic() + _WORKER_ENDS_S
    while (left := _processes(marker)) and time.monotonic() < ends_s:
        time.sleep(0.1)
    check(not left, f"still there: {left}")


def _processes(marker: str) -> list[str]:
    """The processes that name the folder or work in it."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if marker in command or marker in str((path / "cwd").readlink()):
                found.append(f"{path.name}: {command}")
        except OSError:
            continue
    return found


def _read_lines(path: Path) -> list[Any]:
    """The values of a JSONL file, which has nothing in it that JSON has not."""
    return [
        json.loads(line, parse_constant=_refuse) for line in path.read_bytes().split(b"\n")[:-1]
    ]


def _refuse(constant: str) -> Any:
    raise BrokenError(f"{constant} is no JSON")
