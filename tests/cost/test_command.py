"""`--dry_run`, `--pilot` and budgets on the command line, and the example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cost.conftest import KEY, MODEL, asked, cost_of, questions
from tests.fault_server import FaultServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "price.py"


@pytest.fixture
def run(server: FaultServer, monkeypatch, tmp_path: Path, write_jsonl):
    """`oumi infer` over 40 rows, with these options."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    write_jsonl(questions(40))
    given = ["--engine", "OPENAI", "--model.model_name", MODEL, "--input_path", "in.jsonl"]
    given += ["--output_path", "out.jsonl", "--generation.max_new_tokens", "50"]

    def call(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "oumi", "infer", *given, *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return call


def test_a_dry_run_shows_prompts_and_figures(run, server: FaultServer, tmp_path: Path):
    done = run("--dry_run", "--remote_params.requests_per_minute", "10", "--max_cost_usd", "1e-3")
    assert (done.returncode, done.stderr) == (0, "")
    settings, first, second, third, figures = done.stdout.split("\n\n")
    assert "    max_new_tokens: 50" in settings
    assert KEY not in settings
    assert first == "prompt 1 of 40:\n  user: row-0 "
    assert second == "prompt 2 of 40:\n  user: row-1 " + "word " * 7
    assert third.startswith("prompt 3 of 40:")
    assert [line[:10].rstrip() for line in figures.splitlines()] == [
        "engine", "rows", "prompts", "answers", "cost", "in batch", "time", "budget",
    ]  # fmt: skip
    assert "rows      40, 40 to be asked\n" in figures
    assert "answers   0 to 2,000 tokens, by max_new_tokens\n" in figures
    assert "time      at least 4:00, by requests_per_minute\n" in figures
    assert "budget    max_cost_usd may be reached before the last row\n" in figures
    assert asked(server) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
    assert run("--dry-run", "-q").stdout.startswith("engine    OPENAI, gpt-4o-mini\n")


def test_a_pilot_asks_its_rows_once(run, server: FaultServer):
    for _ in range(2):
        done = run("--pilot", "10", "-q")
        assert (done.returncode, done.stderr) == (0, "")
        assert "rows      40, 10 answered already, 30 to be asked" in done.stdout
        assert "answers   150 tokens, by 10 of them\n" in done.stdout
        assert asked(server) == 10
    assert run("-q").returncode == 0
    assert asked(server) == 40
    assert run("--pilot", "10", "-q").stdout.endswith("rows      40, 40 answered already\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pilot", "10", "--output_path", "-"), "a pilot needs an output_path"),
        (("--pilot", "2"), "2 is not in the range x>=10"),
        (("--dry_run", "--input_path", "none.jsonl"), "none.jsonl"),
        (("--max_cost_usd", "0"), "max_cost_usd"),
        (("--max_cost_usd", "1", "--model.model_name", "of-nobody"), "no price is published"),
        (("--price.input_per_million", "1"), "output_per_million"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(run, server: FaultServer, options, said):
    done = run(*options)
    assert done.returncode == 2
    assert said in done.stderr
    assert asked(server) == 0


def test_a_budget_ends_the_command_and_a_higher_one_goes_on(run, server: FaultServer):
    ended = run("--max_cost_usd", "0.0004")
    assert ended.returncode == 7
    figures = ended.stderr[ended.stderr.index("rows ") :]
    [done] = re.findall(r"^rows +(\d+) done, 0 failed$", figures, re.MULTILINE)
    assert int(done) == asked(server) < 40
    kept = f"{done} of 40 rows are done and kept in out.jsonl.journal, {40 - int(done)} left"
    assert f". {kept}. With a higher max_cost_usd the same call goes on\n" in figures
    assert "error: max_cost_usd = 0.0004 is reached: $0.000" in figures
    assert cost_of(server) <= 0.0004
    assert run("--max_cost_usd", "0.4", "-q").returncode == 0
    assert set(server.answered().values()) == {1}


def test_what_was_paid_for_is_printed_where_no_file_keeps_it(run, server: FaultServer):
    done = run("--max_rows", "3", "--output_path", "-")
    assert done.returncode == 7
    assert [f"answer to row-{i}" in line for i, line in enumerate(done.stdout.splitlines())] == [
        True
    ] * 3
    assert "3 of 40 rows are done, but not kept: with output_path" in done.stderr
    assert asked(server) == 3


def test_the_example_says_how_it_ends(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, EXAMPLE, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    before, after, ended, last = done.stdout.splitlines()
    assert re.fullmatch(r"before: 100 rows left, \$0\.00\d\d to \$0\.04\d\d", before)
    assert re.fullmatch(r"after a pilot: 80 rows left, \$0\.0\d+ to \$0\.0[012]\d\d", after)
    assert ended.startswith("max_cost_usd = 0.01 is reached: $0.0")
    assert last == f"100 answers in {tmp_path / 'answers.jsonl'}"
