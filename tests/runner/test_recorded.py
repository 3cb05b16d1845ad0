"""What a journal holds, read while a run has it locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from oumi.core.types import Completion, Failure, Message, Role
from oumi.data.jsonl import JsonlSource
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.snapshot import JournalSnapshot
from tests.conftest import answers, short, sums

PENDING = Failure("Pending", "not asked yet")
KEY = "a" * 32


def answer(text: str) -> Completion:
    return Completion(Message(role=Role.ASSISTANT, content=text))


def test_rows_that_ended_and_rows_that_have_not(write_jsonl, tmp_path: Path):
    source = JsonlSource(write_jsonl(sums(5)))
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.append(3, KEY, answer("three"), latency_s=0.1)
        journal.append_failure(1, KEY, Failure("Broken", "for once"), latency_s=0.1)
        journal.append_failure(0, KEY, Failure("Broken", "for good"), latency_s=0.1)
        journal.append(1, KEY, answer("one"), latency_s=0.1)
        with path.open("ab") as torn:
            torn.write(b'{"key":"')
        recorded = JournalSnapshot(path, 5, PENDING)
    result = recorded.result(source)
    assert list(result.rows) == [1, 3]
    assert answers(result.conversations) == ["one", "three"]
    assert result.conversations[-1].conversation_id == "sum-3"
    assert answers(result.conversations[:1]) == ["one"]
    with pytest.raises(IndexError):
        result.conversations[2]
    assert result.error_messages == {0: "for good", 2: "not asked yet", 4: "not asked yet"}
    assert result.failed_indices == [0, 2, 4]
    with pytest.raises(KeyError):
        result.failures[3]
    assert recorded.failed == 1


def test_the_same_as_the_output_of_the_run(engine, write_jsonl, tmp_path: Path):
    source = write_jsonl(sums(6))
    source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes().replace(b"\n", b"\n\n"))
    output = tmp_path / "out.jsonl"
    saved = engine.infer(None, short(input_path=str(source), output_path=str(output)))
    result = JournalSnapshot(Path(f"{output}.journal"), 6, PENDING).result(JsonlSource(source))
    assert list(result.conversations) == list(saved)
    assert [result.conversations[i] for i in range(6)] == list(saved)
    assert not result.has_failures


def test_before_the_run_began(write_jsonl, tmp_path: Path):
    result = JournalSnapshot(tmp_path / "none", 2, PENDING).result(
        JsonlSource(write_jsonl(sums(2)))
    )
    assert (list(result.conversations), result.failed_indices) == ([], [0, 1])
