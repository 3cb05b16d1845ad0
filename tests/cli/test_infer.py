"""A file run: what is written, what is said, and the exit code."""

import json

from tests.cli.conftest import write_sums

SHORT = ("--generation.max_new_tokens", "8")
FILES = ("--input_path", "in.jsonl", "--output_path", "out.jsonl")


def test_file_run_and_the_same_again(oumi, tmp_path) -> None:
    write_sums(tmp_path / "in.jsonl", 3)
    (tmp_path / "run.yaml").write_text(
        "generation: {max_new_tokens: 99}\ninput_path: other.jsonl\noutput_path: out.jsonl\n"
    )
    first = oumi("infer", "-c", "run.yaml", "--input-path", "in.jsonl", *SHORT)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    lines = first.stderr.splitlines()
    assert lines[0] == "0/3 done · 0 failed"
    assert lines[1].startswith("3/3 done · 0 failed")
    names = [line.split()[0] for line in lines[2:]]
    assert [name for name in names if name != "waited"] == [  # which a busy machine has
        "rows", "time", "tokens", "latency", "answers",
    ]  # fmt: skip
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["conversation_id"] for answer in answers] == ["sum-0", "sum-1", "sum-2"]
    assert all(answer["metadata"]["usage"]["completion_tokens"] <= 8 for answer in answers)

    again = oumi("infer", *FILES, *SHORT)
    assert again.returncode == 0
    assert again.stderr == "Nothing to do: all 3 rows were answered before in out.jsonl.\n"

    other = oumi("infer", *FILES, "--generation.max_new_tokens", "4")
    assert other.returncode == 2
    assert "overwrite" in other.stderr
    assert oumi("infer", *FILES, "--generation.max_new_tokens=4", "--overwrite").returncode == 0


def test_standard_streams_hold_nothing_but_rows(oumi, tmp_path) -> None:
    write_sums(tmp_path / "in.jsonl", 3)
    done = oumi("infer", "--input_path", "-", *SHORT, stdin=(tmp_path / "in.jsonl").read_bytes())
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["conversation_id"] for row in rows] == ["sum-0", "sum-1", "sum-2"]
    assert "3 done" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_rows_that_fail_alone(oumi, tmp_path) -> None:
    write_sums(tmp_path / "in.jsonl", 2)
    with (tmp_path / "in.jsonl").open("a") as file:
        file.write('\n{"messages": 7}\n')
    done = oumi("infer", *FILES, *SHORT, "--bad_rows", "fail", "--quiet")
    assert done.returncode == 6
    assert done.stderr.splitlines()[0] == "1 of 3 rows failed:"
    assert "line 4 (row 2): in.jsonl:4: messages" in done.stderr
    assert "out.jsonl.failures.jsonl" in done.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2

    streamed = oumi("infer", *FILES[:2], *SHORT, "--bad_rows", "fail", "-q")
    assert streamed.returncode == 6
    assert len(streamed.stdout.splitlines()) == 2
    assert "row 2: in.jsonl:4: messages" in streamed.stderr
    assert "failures.jsonl" not in streamed.stderr


def test_quiet_says_nothing(oumi, tmp_path) -> None:
    write_sums(tmp_path / "in.jsonl", 1)
    done = oumi("infer", *FILES, *SHORT, "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_reader_that_goes_away_is_no_error(tmp_path) -> None:
    import subprocess
    import sys

    write_sums(tmp_path / "in.jsonl", 3)
    command = f"{sys.executable} -m oumi infer --input_path in.jsonl -q --generation.seed 1"
    shell = ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("141\n", "")
