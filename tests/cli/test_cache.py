"""`oumi cache`: what is in it, what is removed, and what is written out."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import start

SHORT = ("--generation.max_new_tokens", "4")
DAY_S = 24 * 3600


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four questions, their answers, and a cache of these: the first one used 60 days
    ago, the second one 50, and so on.
    """
    folder = tmp_path_factory.mktemp("answered")
    questions = [{"prompt": f"What is {i} plus 1?"} for i in range(4)]
    (folder / "in.json").write_text(json.dumps(questions))
    files = ("--input_path", "in.json", "--output_path", "out.jsonl")
    process = start("infer", *files, *SHORT, "--cache", "answers.sqlite", cwd=folder)
    _, said = process.communicate()
    assert process.returncode == 0, said
    with closing(sqlite3.connect(folder / "answers.sqlite")) as connection, connection:
        for row in range(4):
            used = int(time.time()) - (60 - 10 * row) * DAY_S
            connection.execute("UPDATE answers SET used = ? WHERE rowid = ?", (used, row + 1))
    return folder


@pytest.fixture
def cache(answered: Path, tmp_path: Path) -> Path:
    """The cache, beside the questions in the folder in which `oumi` runs."""
    for name in ("in.json", "out.jsonl", "answers.sqlite"):
        shutil.copy(answered / name, tmp_path)
    return tmp_path / "answers.sqlite"


def count(oumi) -> int:
    shown = oumi("cache", "--path", "answers.sqlite", "--json")
    found: int = json.loads(shown.stdout)["entries"]
    return found


def test_a_second_run_says_what_came_from_the_cache(oumi, cache: Path):
    files = ("--input_path", "in.json", "--output_path", "again.jsonl")
    done = oumi("infer", *files, *SHORT, "--cache", "answers.sqlite")
    assert "cache     4 rows from the cache\n" in done.stderr
    assert "tokens    0 in, 0 out" in done.stderr
    first, again = (
        [json.loads(line)["messages"] for line in (cache.parent / name).read_text().splitlines()]
        for name in ("out.jsonl", "again.jsonl")
    )
    assert first == again
    assert oumi(
        "cache", "--path", "answers.sqlite", "prune", "--older_than", "1d"
    ).stdout.startswith("0 answers removed"), "a hit counts as a use"


def test_what_is_shown(oumi, cache: Path):
    shown = oumi("cache", "--path", "answers.sqlite").stdout.splitlines()
    assert shown[0] == "path     answers.sqlite"
    assert shown[1] == "answers  4"
    assert shown[5].split()[:3] == ["LLAMACPP", "oumi-tiny", "4"]
    facts = json.loads(oumi("cache", "--path", "answers.sqlite", "--json").stdout)
    assert facts["bytes"] == sum(file.stat().st_size for file in cache.parent.glob("answers.*"))
    assert facts["models"][0]["entries"] == 4
    nothing = oumi("cache")
    assert nothing.stdout.splitlines()[1:] == ["answers  0", "size     0 bytes"]
    assert not Path(nothing.stdout.splitlines()[0].split()[1]).exists(), "looking makes no file"


def test_pruning_by_age(oumi, cache: Path):
    done = oumi("cache", "--path", "answers.sqlite", "prune", "--older_than", "45d")
    assert done.stdout.startswith("2 answers removed; ")
    assert count(oumi) == 2


def test_pruning_by_size_begins_with_what_was_used_longest_ago(oumi, cache: Path):
    with closing(sqlite3.connect(cache)) as connection, connection:
        connection.execute("UPDATE answers SET answer = zeroblob(1000000) WHERE rowid < 4")
    before = cache.stat().st_size
    done = oumi("cache", "--path", "answers.sqlite", "prune", "--max_size", "1.5MB")
    assert done.stdout.startswith("2 answers removed; 1.0 MB are left in answers.sqlite")
    with closing(sqlite3.connect(cache)) as connection:
        assert connection.execute("SELECT rowid FROM answers").fetchall() == [(3,), (4,)]
    assert cache.stat().st_size < before / 2, "the space is given back"


def test_what_is_exported(oumi, cache: Path):
    oumi("cache", "--path", "answers.sqlite", "export", "--output_path", "all.jsonl")
    lines = [json.loads(line) for line in (cache.parent / "all.jsonl").read_text().splitlines()]
    assert [list(line) for line in lines] == [
        ["key", "engine", "model", "created", "used", "completion"]
    ] * 4
    answered = [json.loads(line) for line in (cache.parent / "out.jsonl").read_text().splitlines()]
    assert sorted(line["completion"]["message"]["content"] for line in lines) == sorted(
        line["messages"][-1]["content"] for line in answered
    )
    printed = oumi("cache", "--path", "answers.sqlite", "export")
    assert printed.stdout == (cache.parent / "all.jsonl").read_text()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("prune",), "Say what is to go"),
        (("prune", "--older_than", "soon"), "--older_than: 'soon' is no duration"),
        (("prune", "--max_size", "big"), "--max_size: 'big' is no size"),
    ],
)
def test_wrong_use(args: tuple[str, ...], said: str, oumi, cache: Path):
    done = oumi("cache", "--path", "answers.sqlite", *args)
    assert done.returncode == 2
    assert said in done.stderr
    assert count(oumi) == 4


def test_a_file_that_is_no_cache(oumi, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    done = oumi("cache", "--path", "notes.txt", "prune", "--max_size", "0MB")
    assert done.returncode == 5
    assert "notes.txt: the cache cannot be read: file is not a database" in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "mine"
