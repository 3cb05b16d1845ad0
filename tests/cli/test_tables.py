"""Tables in a terminal: what is said of them, and pipes."""

from __future__ import annotations

import json
from pathlib import Path

SHORT = ("--generation.max_new_tokens", "4")
WORDS = "word,language\nbread,French\nwater,German\n"
PROMPT = ("--prompt", "The {{ language }} word for {{ word }}?")


def test_a_csv_file_to_a_table_and_again(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(WORDS)
    args = ("infer", "--input_path", "in.csv", "--output_path", "out.tsv", *PROMPT, *SHORT)
    first = oumi(*args)
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines()[0] == "0/2 done · 0 failed"
    header, *rows = (tmp_path / "out.tsv").read_text().splitlines()
    assert header.split("\t")[:3] == ["word", "language", "answer"]
    assert [row.split("\t")[0] for row in rows] == ["bread", "water"]
    again = oumi(*args)
    assert again.stderr == "Nothing to do: all 2 rows were answered before in out.tsv.\n"


def test_what_was_recognised_is_said_once(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("instruction,seed\nSay hi,1\n")
    done = oumi("infer", "--input_path", "in.csv", *SHORT)
    said = "in.csv: read as Alpaca's format (`instruction`, `input`), settings from `seed`"
    assert done.stderr.splitlines()[0] == said
    assert done.stderr.count("read as") == 1
    quiet = oumi("infer", "-q", "--input_path", "in.csv", *SHORT)
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_a_pipe_of_csv_to_a_pipe_of_rows(oumi) -> None:
    table = ("--output_format", "table")
    done = oumi("infer", "-q", "--input_path", "-", *PROMPT, *table, *SHORT, stdin=WORDS)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["word"] for row in rows] == ["bread", "water"]
    assert all(row["answer"] for row in rows)


def test_a_table_that_is_not_recognised(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(WORDS)
    done = oumi("infer", "--input_path", "in.csv")
    assert done.returncode == 2
    assert "in the columns word, language" in done.stderr
    assert "--prompt '{{ language }}'" in done.stderr
    wrong = oumi("infer", "--input_path", "in.csv", "--prompt", "{{ wrod }}")
    assert wrong.returncode == 2
    assert "'wrod' is no column; did you mean 'word'?" in wrong.stderr


def test_rows_without_lines_that_fail(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('[{"prompt": "hi"}, {"prompt": null}]')
    files = ("--input_path", "in.json", "--output_path", "out.csv")
    done = oumi("infer", "-q", *files, *SHORT, "--bad_rows", "fail")
    assert done.returncode == 6
    assert "  row 1: in.json: row 1: prompt: nothing in it" in done.stderr
    assert (tmp_path / "out.csv").read_text().splitlines()[2].endswith("prompt: nothing in it")


def test_several_samples_a_row(oumi, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(WORDS)
    sampled = ("--generation.n", "2", "--generation.temperature", "1.0")
    files = ("--input_path", "in.csv", "--output_path", "out.csv", *PROMPT, *SHORT)
    same = oumi("infer", *files, "--generation.n", "2")
    assert same.returncode == 2
    assert "2 samples at temperature 0, the default, would be the same answer" in same.stderr
    done = oumi("infer", *files, *sampled)
    assert done.returncode == 0, done.stderr
    assert "rows      4 done, 0 failed\nsamples   2 of each of 2 rows\n" in done.stderr
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert [row.split(",")[:3:2] for row in rows[1:]] == [
        ["bread", "0"],
        ["bread", "1"],
        ["water", "0"],
        ["water", "1"],
    ]
