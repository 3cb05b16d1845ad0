"""`oumi batch` with the model in this package."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from oumi.cli.main import cli
from tests.batch.local import kill_worker, processes_started
from tests.conftest import sums


@pytest.fixture
def batch(
    tmp_path: Path, write_jsonl: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    write_jsonl(sums(40))
    return lambda *args: CliRunner().invoke(cli, ["batch", *args], prog_name="oumi")


def submit(batch: Callable[..., Result], *more: str) -> str:
    settings = ("--input_path", "in.jsonl", "--generation.max_new_tokens", "16")
    done = batch("submit", *settings, *more)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def test_from_submit_to_results(batch):
    batch_id = submit(batch)
    waited = batch("wait", batch_id, "--every", "0.05")
    assert waited.exit_code == 0, waited.output
    assert waited.stderr.splitlines()[-1] == "completed (ended): 40 of 40 done, 0 failed"
    done = batch("results", batch_id, "--output_path", "out.jsonl")
    assert done.exit_code == 0, done.stderr
    assert len(Path("out.jsonl").read_text().splitlines()) == 40


def test_all_of_it_once_more(batch):
    first, again = submit(batch), submit(batch)
    assert again == first
    assert batch("wait", first, "--every", "0.05").exit_code == 0
    second = submit(batch, "--resubmit")
    assert second != first
    assert submit(batch) == second, "the latest one"
    assert batch("wait", second, "--every", "0.05").exit_code == 0
    for name in (first, second):
        done = batch("results", name)
        assert (done.exit_code, len(done.stdout.splitlines())) == (0, 40)


def test_a_list_starts_nothing_and_a_status_does(batch):
    batch_id = submit(batch)
    kill_worker(batch_id)
    [job] = json.loads(batch("list", "--json").stdout)
    assert (job["id"], job["provider_status"], job["engine"]) == (batch_id, "stopped", "LLAMACPP")
    assert processes_started(batch_id) == 1
    assert batch("status", batch_id).exit_code == 0
    assert batch("wait", batch_id, "--every", "0.05").exit_code == 0
    assert processes_started(batch_id) == 2


def test_cancel(batch):
    batch_id = submit(batch)
    assert "cancelled (ended)" in batch("cancel", batch_id).stdout
    assert batch("wait", batch_id).exit_code == 6
    assert batch("results", batch_id).exit_code == 6
    assert batch("resubmit", batch_id).stdout.strip() == batch_id
    assert batch("wait", batch_id, "--every", "0.05").exit_code == 0
