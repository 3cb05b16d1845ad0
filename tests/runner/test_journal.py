from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from oumi.core.types import Completion, Failure, Message, Role, Usage
from oumi.errors import OutputExistsError
from oumi.runner.storage.journal import Journal
from oumi.structured.finish import ValidRecord

A, B, C = "a" * 32, "b" * 32, "c" * 32


def answer(text: str) -> Completion:
    return Completion(Message(role=Role.ASSISTANT, content=text), usage=Usage(1, 2))


def text(journal: Journal, row: int) -> str:
    return journal.read(row)["completion"]["message"]["content"]


def test_what_was_recorded_is_found_again(tmp_path: Path):
    with Journal(tmp_path / "j") as journal:
        journal.append(1, B, answer("b"), latency_s=0.1)
        journal.append(0, A, answer("a"), latency_s=0.1)
        journal.append_failure(2, C, Failure("X", "no"), latency_s=0.1)
        assert Completion.from_dict(journal.read(1)["completion"]) == answer("b")
        assert Failure.from_dict(journal.read(2)["failure"]) == Failure("X", "no")
        assert journal.read(3) == {}
    with Journal(tmp_path / "j") as journal:
        assert journal.unclaimed == 2
        assert journal.claim(0, A)
        assert journal.claim(1, B)
        assert not journal.claim(2, C), "a failure is asked again"
        assert text(journal, 0) == "a"


def known_valid(journal: Journal, rows: int) -> list[bool]:
    return [type(journal.read(row).get("completion")) is ValidRecord for row in range(rows)]


def test_an_answer_is_known_to_be_valid_while_it_is_the_last_word_and_the_journal_is_open(
    tmp_path: Path,
):
    path = tmp_path / "j"
    with Journal(path) as journal:
        for row in range(4):
            journal.append(row, A, answer("1"))
        for row in range(3):
            journal.note_valid(row)
        assert known_valid(journal, 5) == [True, True, True, False, False]
        journal.append(0, A, answer("a"))
        journal.append_failure(1, A, Failure("X", "no"))
        assert known_valid(journal, 4) == [False, False, True, False]
        assert [text(journal, row) for row in (0, 2, 3)] == ["a", "1", "1"]
    with Journal(path) as journal:
        assert journal.claim(2, A)
        assert text(journal, 2) == "1"
        assert known_valid(journal, 3) == [False] * 3, "the file says nothing of it"


def test_reordered_and_extended_input_is_found_by_key(tmp_path: Path):
    with Journal(tmp_path / "j") as journal:
        journal.append(0, A, answer("a"), latency_s=0.1)
        journal.append(1, B, answer("b"), latency_s=0.1)
    with Journal(tmp_path / "j") as journal:
        assert not journal.claim(0, C)
        assert journal.claim(1, A)
        assert journal.claim(2, B)
        journal.append(0, C, answer("c"), latency_s=0.1)
    with Journal(tmp_path / "j") as journal:
        assert [journal.claim(row, key) for row, key in enumerate([C, A, B])] == [True] * 3
        assert [text(journal, row) for row in range(3)] == ["c", "a", "b"]


def test_twins_have_an_answer_each(tmp_path: Path):
    with Journal(tmp_path / "j") as journal:
        journal.append(0, A, answer("first"), latency_s=0.1)
        journal.append(1, A, answer("second"), latency_s=0.1)
    with Journal(tmp_path / "j") as journal:
        assert [journal.claim(row, A) for row in (5, 6, 7)] == [True, True, False]
        assert {text(journal, 5), text(journal, 6)} == {"first", "second"}


def test_a_torn_last_line_is_cut_off_at_every_byte(tmp_path: Path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.append(0, A, answer("a"), latency_s=0.1)
        whole = path.read_bytes()
        journal.append(1, B, answer("b"), latency_s=0.1)
        both = path.read_bytes()
    for length in range(len(both)):
        path.write_bytes(both[:length])
        with Journal(path) as journal:
            assert journal.claim(0, A) == (length >= len(whole))
            assert not journal.claim(1, B)
            journal.append(1, B, answer("again"), latency_s=0.1)
        with Journal(path) as journal:
            assert journal.claim(1, B)


@pytest.mark.parametrize(
    "content", [b"something else\n", b"something else", b'{"journal":3}\nnoise\n']
)
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, content: bytes):
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(OutputExistsError):
        Journal(path)
    assert path.read_bytes() == content


def test_two_processes_do_not_share_a_journal(tmp_path: Path):
    with Journal(tmp_path / "j"), pytest.raises(OutputExistsError, match="this process works on"):
        Journal(tmp_path / "j")
    with Journal(tmp_path / "j"):
        pass


HALF_A_LINE = """
import resource, signal, sys
import subprocess
import sys
from pathlib import Path
from oumi.core.types import Completion, Message, Role
from oumi.errors import StorageError
from oumi.runner.storage.journal import Journal
from oumi.structured.finish import ValidRecord

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
answer = Completion(Message(role=Role.ASSISTANT, content="a" * 100))
with Journal(Path(sys.argv[1])) as journal:
    journal.append(0, "a" * 32, answer, latency_s=0.1)
    size = Path(sys.argv[1]).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, resource.RLIM_INFINITY))
    try:
        journal.append(1, "b" * 32, answer, latency_s=0.1)
    except StorageError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        journal.append(2, "c" * 32, answer, latency_s=0.1)
"""


def test_half_a_line_leaves_no_hole(tmp_path: Path):
    """A disk may take half of a line before it is full; what is written after that is whole."""
    subprocess.run([sys.executable, "-c", HALF_A_LINE, str(tmp_path / "j")], check=True)
    assert b"\0" not in (tmp_path / "j").read_bytes()
    with Journal(tmp_path / "j") as journal:
        assert [journal.claim(row, key) for row, key in enumerate([A, B, C])] == [True, False, True]


def test_a_longer_record_stands_for_the_shorter_one(tmp_path: Path):
    first = answer("first")
    both = answer("second")._replace(earlier=(first,))
    with Journal(tmp_path / "j") as journal:
        journal.append(0, A, first, latency_s=0.1)
        journal.append(1, A, answer("twin"), latency_s=0.1)
        journal.append(0, A, both, latency_s=0.2)
        assert Completion.from_dict(journal.read(0)["completion"]) == both
    with Journal(tmp_path / "j") as journal:
        assert journal.unclaimed == 2
        assert [journal.claim(row, A) for row in (5, 6, 7)] == [True, True, False]
        assert {text(journal, 5), text(journal, 6)} == {"second", "twin"}


def test_an_open_row_goes_on_under_its_new_number(tmp_path: Path):
    first = answer("first")
    with Journal(tmp_path / "j") as journal:
        journal.append(0, A, first, latency_s=0.1)
    with Journal(tmp_path / "j") as journal:
        assert journal.claim(3, A)
        journal.reopen(3)
        assert not journal.holds(3)
        assert journal.earlier_answer(3) == first
        journal.append(3, A, answer("second")._replace(earlier=(first,)), latency_s=0.1)
        assert journal.holds(3)
        assert journal.earlier_answer(3) is None
    with Journal(tmp_path / "j") as journal:
        assert [journal.claim(row, A) for row in (0, 3)] == [True, False]
        assert text(journal, 0) == "second"


def three_answers(path: Path) -> bytes:
    with Journal(path) as journal:
        for row, key in enumerate((A, B, C)):
            journal.append(row, key, answer(f"answer {row}"), latency_s=0.1)
    return path.read_bytes()


def found(path: Path) -> dict[int, str]:
    """The answers that a new run would take from a journal."""
    with Journal(path) as journal:
        return {r: text(journal, r) for r, k in enumerate((A, B, C)) if journal.claim(r, k)}


def test_no_flipped_bit_changes_an_answer(tmp_path: Path):
    path = tmp_path / "j"
    whole = three_answers(path)
    for place in range(len(whole)):
        for bit in (0, 3, 6):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            answers = found(path)
            assert all(answers[row] == f"answer {row}" for row in answers)
            assert len(answers) >= 1, "a flipped line end costs two lines"


def test_a_damaged_line_is_named_and_blocks_no_other(tmp_path: Path, caplog):
    path = tmp_path / "j"
    path.write_bytes(three_answers(path).replace(b"answer 1", b"answer 7"))
    assert found(path) == {0: "answer 0", 2: "answer 2"}
    assert f"{path}:3: the line is damaged" in caplog.text
    with Journal(path) as journal:
        journal.append(1, B, answer("answer 1"), latency_s=0.1)
    assert found(path) == {row: f"answer {row}" for row in range(3)}


@pytest.mark.parametrize(
    "noise", [b"\0" * 100, b"\xff\xfe\n\n\n", b'{"key":"', b"null\n", b"[" * 9999 + b"\n"]
)
def test_noise_between_lines_is_passed_over(tmp_path: Path, noise: bytes):
    path = tmp_path / "j"
    header, *lines = three_answers(path).splitlines(keepends=True)
    path.write_bytes(header + lines[0] + noise + lines[1] + lines[2])
    assert found(path)[0] == "answer 0"
    assert found(path)[2] == "answer 2"


def test_a_row_number_beyond_all_others_takes_no_memory(tmp_path: Path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        for row in (10**17, 5):
            journal.append(row, A, answer(f"answer {row}"), latency_s=0.1)
    with Journal(path) as journal:
        assert journal.claim(10**17, A)
        assert journal.claim(5, A)
        assert text(journal, 10**17) == f"answer {10**17}"
        assert text(journal, 5) == "answer 5"


def test_lines_of_version_1_count_where_they_can_be_read(tmp_path: Path):
    path = tmp_path / "j"
    three_answers(path)
    lines = path.read_bytes().splitlines(keepends=True)
    old = [re.sub(rb',"crc32":"\w+"', b"", line) for line in lines[1:]]
    old[1] = old[1].replace(b'"message"', b'"mdssage"')
    path.write_bytes(b'{"journal":1}\n' + b"".join(old))
    assert found(path) == {0: "answer 0", 2: "answer 2"}
