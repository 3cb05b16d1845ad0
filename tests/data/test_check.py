"""The check of an input: ahead of whoever takes its rows, and all rows of it once and in order."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig
from oumi.data.check import CheckedRows, check_rows
from oumi.data.opening import open_source
from oumi.data.source import Row, Source
from oumi.errors import InputError
from tests.conftest import ask
from tests.data.writing import write_rows

ROWS = 70
NAMES = ("in.jsonl", "in.jsonl.gz", "in.json", "in.csv", "in.parquet", "in.arrow")
PLAIN = {"messages": [{"role": "user", "content": "a"}]}


def opened(path: Path, *lines: object) -> Source:
    if lines:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return open_source(None, InferenceConfig(input_path=str(path)))


def sources(folder: Path) -> dict[str, Source]:
    rows = [{"prompt": f"row-{i}"} for i in range(ROWS)]
    found = {name: opened(write_rows(folder / name, rows)) for name in NAMES}
    conversations = [ask(f"row-{i}") for i in range(ROWS)]
    found["conversations"] = open_source(conversations, InferenceConfig())
    found["a list"] = open_source(rows, InferenceConfig())
    texts = [conversation.to_dict() for conversation in conversations]
    return found | {"conversations in a file": opened(folder / "plain.jsonl", *texts)}


def question(row: Row) -> object:
    assert row.conversation is not None
    return row.conversation[-1].content


@pytest.mark.parametrize("taken_first", [0, 3])
@pytest.mark.parametrize("most_kept", [0, 7, ROWS])
def test_each_row_is_handed_out_once_and_in_order(tmp_path: Path, taken_first: int, most_kept: int):
    for name, source in sources(tmp_path).items():
        rows = CheckedRows(source, most_kept=most_kept)
        found = [next(rows) for _ in range(taken_first)]
        assert not rows.is_complete
        rows.check()
        assert (rows.is_complete, rows.checked) == (True, ROWS)
        found += rows
        assert [question(row) for row in found] == [f"row-{i}" for i in range(ROWS)], name
        assert [row.index for row in found] == list(range(ROWS)), name


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_taken_and_checked_by_turns(tmp_path: Path, seed: int):
    turns = random.Random(seed)
    rows = CheckedRows(opened(tmp_path / "in.jsonl", *[PLAIN] * ROWS), most_kept=7)
    found: list[int] = []
    while not rows.is_complete:
        for _ in range(turns.choice((0, 0, 1, 2))):
            rows.check_first()
        found += [row.index for row in islice(rows, turns.choice((0, 3, 7, 14)))]
    found += [row.index for row in rows]
    assert found == list(range(ROWS))


def test_who_is_quicker_than_the_check_takes_rows_that_it_has_not_seen(tmp_path: Path):
    for name, source in sources(tmp_path).items():
        rows = CheckedRows(source)
        assert [question(row) for row in rows] == [f"row-{i}" for i in range(ROWS)], name
        assert (rows.is_complete, rows.estimated_total) == (True, ROWS), name


def test_the_number_of_rows_is_estimated(tmp_path: Path):
    opened_sources = sources(tmp_path).items()
    found = {name: CheckedRows(source).estimated_total for name, source in opened_sources}
    assert found.pop("in.csv") == ROWS + 1  # the line of names is not told apart
    assert [found.pop(name) for name in ("in.jsonl.gz", "in.json", "in.arrow")] == [None] * 3
    assert set(found.values()) == {ROWS}


def test_rows_are_read_from_any_of_them_on(tmp_path: Path):
    for name, source in sources(tmp_path).items():
        assert [row.index for row in source.rows(ROWS - 2)] == [ROWS - 2, ROWS - 1], name
        assert list(source.rows(ROWS)) == [], name


@pytest.mark.parametrize("start", [0, 1, 4095, 4096, 4097, 8192, 9_000, 9_999, 10_000])
def test_rows_of_a_long_file_are_found_again(tmp_path: Path, start: int):
    """Also once the file was gone through, and with lines that are none of its rows."""
    path = tmp_path / "long.jsonl"
    texts = [json.dumps(ask(f"row-{i}").to_dict()) + "\n" for i in range(10_000)]
    path.write_text("\ufeff" + "".join(text + "\n" * (i % 3 == 0) for i, text in enumerate(texts)))
    source = opened(path)
    expected = [(row.index, row.line, question(row)) for row in source.rows()]
    assert [asked for _, _, asked in expected] == [f"row-{i}" for i in range(10_000)]
    found = [(row.index, row.line, question(row)) for row in source.rows(start)]
    assert found == expected[start:]
    lines = path.read_bytes().splitlines()
    assert all(f'row-{index}"'.encode() in lines[line - 1] for index, line, _ in found)


def test_all_of_the_first_errors_are_listed(tmp_path: Path):
    path = tmp_path / "in.jsonl"
    source = opened(path, PLAIN, *[{"messages": []}] * 12)
    with pytest.raises(InputError) as caught:
        CheckedRows(source).check_first()
    places = [f"{path}:{line}: a conversation without messages" for line in range(2, 12)]
    assert str(caught.value).splitlines() == [*places, "… and more"]


def test_ids_that_stand_twice(tmp_path: Path):
    path = tmp_path / "in.jsonl"
    lines = [PLAIN | {"conversation_id": f"id-{i % 1000}"} for i in range(1003)]
    with pytest.raises(InputError) as caught:
        check_rows(opened(path, *lines))
    assert str(caught.value).splitlines() == [
        f"{path}:{1001 + i}: conversation_id 'id-{i}' stands already at {path}:{1 + i}"
        for i in range(3)
    ]
