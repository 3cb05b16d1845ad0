"""A journal beside a plain model of it: whatever rows later runs have, each is given an answer with
its key, its own where it has kept its number, and no answer is given to two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from oumi.core.types import Completion, Failure, Message, Role
from oumi.runner.storage.journal import Journal

KEYS = ["0" * 32, "0" * 15 + "2" + "0" * 16, "7" * 32, "f" * 32]
"""Few, so that rows are equal; two that begin alike, and the smallest and the largest one."""
ASK, LENGTHEN, FAIL, SKIP = "ask", "lengthen", "fail", "skip"
"""What becomes of a row: it is asked where it has no answer; it is also asked further where it has
one; it fails, even so; or the run is over before its turn."""

Step = tuple[str, str]
"""The key of a row, and what becomes of it."""
steps = st.tuples(st.sampled_from(KEYS), st.sampled_from([ASK, LENGTHEN, FAIL, SKIP]))
runs = st.tuples(st.lists(steps, max_size=12), st.booleans())


@dataclass(eq=False)
class Answer:
    """One that the file holds and no other replaces."""

    row: int
    key: str
    text: str


@dataclass
class Model:
    """What the file holds and, in a run, what no row has claimed and what rows have."""

    answers: list[Answer] = field(default_factory=list)
    lines: list[Answer] = field(default_factory=list)
    """The same with those that were replaced."""
    failures: dict[int, str] = field(default_factory=dict)
    last: dict[int, Answer] = field(default_factory=dict)
    """Of each number the last answer that was recorded before the run, were it replaced later."""
    unclaimed: list[Answer] = field(default_factory=list)
    held: dict[int, Answer] = field(default_factory=dict)

    def begin(self) -> None:
        """Another run."""
        self.unclaimed, self.held = list(self.answers), {}
        self.last = {answer.row: answer for answer in self.lines}

    def allowed(self, row: int, key: str) -> list[Answer]:
        """What a row may be given."""
        found = [answer for answer in self.unclaimed if answer.key == key]
        return [answer for answer in found if answer is self.last.get(row)] or found

    def claim(self, row: int, answer: Answer) -> None:
        """Give it to the row."""
        self.unclaimed.remove(answer)
        self.held[row] = answer

    def append(self, answer: Answer) -> None:
        """A new line, in place of what its row held."""
        if (before := self.held.get(answer.row)) in self.answers:
            self.answers.remove(before)
        self.answers.append(answer)
        self.lines.append(answer)
        self.held[answer.row] = answer


@settings(deadline=None)  # a disk may be slow for a moment
@given(st.lists(runs, min_size=1, max_size=5))
@example([([(KEYS[3], ASK)] * 3, False), ([(KEYS[0], ASK), *[(KEYS[3], ASK)] * 3], False)])
def test_a_journal_is_as_its_model(all_runs: list[tuple[list[Step], bool]]):
    model, texts = Model(), map("answer {}".format, range(1000))
    with tempfile.TemporaryDirectory() as folder:
        for rows, is_claimed_first in all_runs:
            with Journal(Path(folder) / "j") as journal:
                play(journal, model, rows, texts, is_claimed_first=is_claimed_first)


def play(
    journal: Journal,
    model: Model,
    rows: list[Step],
    texts: Iterator[str],
    *,
    is_claimed_first: bool,
) -> None:
    """One run, in which all rows claim answers before any is asked, or each when its turn comes."""
    model.begin()
    if is_claimed_first:
        for row, (key, _) in enumerate(rows):
            claim(journal, model, row, key)
    ended = set()
    for row, (key, step) in enumerate(rows):
        if not is_claimed_first:
            claim(journal, model, row, key)
        if step == FAIL:
            fail(journal, model, row, key, next(texts))
            ended.add(row)
        elif step == LENGTHEN or (step == ASK and row not in model.held):
            ask(journal, model, row, key, next(texts))
    for row in range(len(rows) + 1):
        assert journal.holds(row) == (row in model.held or row in ended)
        assert row not in model.held or text_of(journal, row) == model.held[row].text


def claim(journal: Journal, model: Model, row: int, key: str) -> None:
    allowed = model.allowed(row, key)
    assert journal.claim(row, key) == bool(allowed)
    if allowed:
        text = text_of(journal, row)
        model.claim(row, next(answer for answer in allowed if answer.text == text))
    assert journal.unclaimed == len(model.unclaimed)


def ask(journal: Journal, model: Model, row: int, key: str, text: str) -> None:
    if row in model.held:
        journal.reopen(row)
        assert journal.earlier_answer(row) == completion(model.held[row].text)
    journal.append(row, key, completion(text), latency_s=0.1)
    model.append(Answer(row, key, text))


def fail(journal: Journal, model: Model, row: int, key: str, reason: str) -> None:
    journal.append_failure(row, key, Failure("X", reason), latency_s=0.1)
    model.failures[row] = reason
    model.held.pop(row, None)


def completion(text: str) -> Completion:
    return Completion(Message(role=Role.ASSISTANT, content=text))


def text_of(journal: Journal, row: int) -> str:
    return str(journal.read(row)["completion"]["message"]["content"])


@settings(deadline=None)  # a disk may be slow for a moment
@given(st.lists(runs, min_size=1, max_size=4), st.integers(0, 12))
def test_the_last_failure_of_a_number_is_found(all_runs: list[tuple[list[Step], bool]], row: int):
    model, texts = Model(), map("text {}".format, range(1000))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        for rows, is_claimed_first in all_runs:
            with Journal(path) as journal:
                play(journal, model, rows, texts, is_claimed_first=is_claimed_first)
        with Journal(path) as journal:
            assert journal.claim_failure(row) == (row in model.failures)
            if row in model.failures:
                assert (
                    Failure.from_dict(journal.read(row)["failure"]).error_message
                    == model.failures[row]
                )
