"""`oumi batch`, as a script uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from oumi.cli.main import cli
from tests.conftest import ask
from tests.fault_server import FaultServer

KEY = "sk-of-the-command"
ENGINE = ("--engine", "OPENAI", "--model.model_name", "gpt-4")


@pytest.fixture
def batch(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """`oumi batch`, at a server with a batch API, beside a file of four questions."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    write(4)
    return lambda *args: CliRunner().invoke(cli, ["batch", *args], prog_name="oumi")


def write(count: int) -> None:
    lines = [ask(f"row-{i}", conversation_id=f"id-{i}").to_json() + "\n" for i in range(count)]
    Path("in.jsonl").write_text("".join(lines))


def submit(batch: Callable[..., Result]) -> str:
    done = batch("submit", "--input_path", "in.jsonl", *ENGINE)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def test_from_submit_to_results(batch, server: FaultServer, tmp_path: Path):
    batch_id = submit(batch)
    assert batch_id == "batch_1"
    shown = batch("status", batch_id).stdout
    assert "status     in_progress (in_progress)\n" in shown
    assert "requests   0 of 4 done, 0 failed\n" in shown
    waited = batch("wait", batch_id, "--every", "0.01")
    assert waited.exit_code == 0
    assert waited.stderr.splitlines()[-1] == "completed (completed): 4 of 4 done, 0 failed"
    done = batch("results", batch_id, "--output_path", "out.jsonl")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "4 answers in out.jsonl, 0 rows without one" in done.stderr
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    said = [json.loads(line)["messages"][-1]["content"] for line in lines]
    assert said == [f"answer to row-{i}" for i in range(4)]
    printed = batch("results", batch_id)
    assert printed.stdout.splitlines() == lines


def test_status_in_json_tells_the_cost(batch):
    batch_id = submit(batch)
    batch("wait", batch_id, "--every", "0.01")
    batch("results", batch_id)
    facts = json.loads(batch("status", batch_id, "--json").stdout)
    assert (facts["status"], facts["completed_requests"]) == ("completed", 4)
    assert (facts["model"], facts["provider_status"]) == ("gpt-4", "completed")
    assert facts["cost_usd"] > 0
    assert "for the answers collected" in batch("status", batch_id).stdout


def test_rows_that_fail(batch, server: FaultServer):
    server.plan(batch={"rows": {"row-2": 400}})
    batch_id = submit(batch)
    assert batch("wait", "-q", batch_id, "--every", "0.01").exit_code == 0
    done = batch("results", batch_id)
    assert done.exit_code == 6
    assert len(done.stdout.splitlines()) == 3
    assert (
        "3 answers, 1 rows without one\n  row 2: ContextLengthError: OPENAI answered 400"
        in done.stderr
    )
    server.move_batch(plan={"rows": {}})
    again = batch("resubmit", batch_id).stdout.strip()
    batch("wait", again, "--every", "0.01")
    assert batch("results", again).exit_code == 0
    assert server.batches()["rows"]["row-0"] == 1


def test_exit_codes_of_wait(batch, server: FaultServer):
    server.plan(batch={"states": ["in_progress", "expired"], "done": 1})
    assert batch("wait", submit(batch), "--every", "0.01").exit_code == 6
    server.plan(batch={"hold": True})
    write(5)
    late = batch("wait", submit(batch), "--every", "0.01", "--timeout", "0.05")
    assert late.exit_code == 4
    assert "has not ended within 0.05 s" in late.stderr


def test_cancel(batch, server: FaultServer):
    server.plan(batch={"done": 2})
    batch_id = submit(batch)
    assert "cancelling" in batch("cancel", batch_id).stdout
    assert batch("wait", batch_id, "--every", "0.01").exit_code == 6
    assert batch("results", batch_id).stderr.startswith("2 answers, 2 rows without one")


def test_list(batch, monkeypatch: pytest.MonkeyPatch):
    assert "no jobs yet" in batch("list").stderr
    first = submit(batch)
    write(1)
    second = submit(batch)
    heads, *lines = batch("list").stdout.splitlines()
    assert heads.split()[:5] == ["job", "engine", "model", "status", "done"]
    assert [line.split()[:5] for line in lines] == [
        [second, "OPENAI", "gpt-4", "in_progress", "0/1"],
        [first, "OPENAI", "gpt-4", "in_progress", "0/4"],
    ]
    jobs = json.loads(batch("list", "--json", "--limit", "1").stdout)
    assert [job["id"] for job in jobs] == [second]
    monkeypatch.delenv("OPENAI_API_KEY")
    without = batch("list")
    assert without.exit_code == 0
    assert f"{first}: as last seen, because OPENAI: no key" in without.stderr
    assert batch("list", "--offline").stderr == ""


def test_a_batch_of_another_program(batch):
    unknown = batch("status", "batch_9")
    assert unknown.exit_code == 2
    assert "no job 'batch_9' is known on this machine" in unknown.stderr
    assert "OPENAI knows no batch batch_9" in batch("status", "batch_9", *ENGINE).stderr


def test_wrong_use(batch):
    assert "give --input_path" in batch("submit", *ENGINE).stderr
    assert batch("status").exit_code == 2
    assert "Usage: oumi batch wait" in batch("wait", "--help").stdout


def test_a_job_on_this_machine_needs_no_model_to_be_looked_at(batch, server: FaultServer):
    engine = ("--engine", "REMOTE_VLLM", "--model.model_name", "m")
    url = ("--remote_params.api_url", server.api_url)
    batch_id = batch("submit", "--input_path", "in.jsonl", *engine, *url).stdout.strip()
    assert batch("wait", batch_id, "--every", "0.05", "--timeout", "60").exit_code == 0
    assert batch("results", batch_id).stdout.count("answer to row-") == 4
    assert batch_id in batch("list").stdout


def test_as_a_process_of_its_own(batch, oumi, server: FaultServer):
    batch_id = submit(batch)
    again = oumi("batch", "submit", "--input_path", "in.jsonl", *ENGINE)
    assert (again.returncode, again.stdout) == (0, f"{batch_id}\n")
    assert again.stderr == f"warning: {batch_id} is this very job, submitted before: in_progress\n"
    assert len(server.batches()["batches"]) == 1
