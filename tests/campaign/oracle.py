"""What has to hold after a round, whatever happened in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.campaign.rows import Row, question_of

EXIT_CODES = {0, 1, 2, 3, 4, 5, 6, 130, 143, -2, -9, -15}
"""Those that docs/errors.md names, and ends by a signal."""


class BrokenError(AssertionError):
    """A promise was not kept."""


def check(holds: bool, what: str) -> None:
    """Raise BrokenError unless something holds."""
    if not holds:
        raise BrokenError(what)


def check_call(code: int, printed: str, key: str) -> None:
    """The end of one call of the command: no exception of others, no key."""
    check(code in EXIT_CODES, f"exit code {code}: {printed[-2000:]}")
    check("Traceback (most recent" not in printed, f"a traceback: {printed[-3000:]}")
    check(key not in printed, "the key was printed")


def check_output(output: Path, rows: list[Row], answers: dict[str, str]) -> None:
    """Each row of the input stands in the output, in order, with the answer to its question."""
    text = output.read_bytes().splitlines()
    lines = [json.loads(line, parse_constant=_refuse) for line in text]
    check(len(lines) == len(rows), f"{len(lines)} rows in place of {len(rows)}")
    for row, line in zip(rows, lines, strict=True):
        question, answer = question_of(row), line["messages"][-1]["content"]
        check(line["number"] == row["number"], f"row {row['number']} is not in its place")
        check(answers[question] == answer, f"{answer!r} stands at {question!r}")
        check(line.get("tools") == row.get("tools"), f"the tools of {question!r} were changed")


def check_asked(answered: dict[str, int], most_extra: int) -> None:
    """Nothing that was recorded was asked again: answers beyond one a row were lost by what was
    done to the run.
    """
    extra = sum(count - 1 for count in answered.values() if count > 1)
    check(extra <= most_extra, f"{extra} answers were paid for again, {most_extra} were lost")


def check_files(folder: Path, key: str) -> None:
    """No file holds the key, and none is left unfinished."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "key":
            check(key.encode() not in path.read_bytes(), f"the key stands in {path}")
            check(not path.name.endswith(".oumi-partial"), f"{path} is left over")


def check_processes(marker: str) -> None:
    """No process that works in the round's folder is left."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        check(marker not in command, f"still there: {command}")


def _refuse(constant: str) -> Any:
    raise BrokenError(f"{constant} is no JSON")
