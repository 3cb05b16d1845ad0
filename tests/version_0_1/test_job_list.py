"""The command line tells of each job what version 0.1 told of it, without asking anybody."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from oumi.cli.main import cli
from oumi.core.types import Conversation
from tests.fault_server import FaultServer
from tests.version_0_1 import stored
from tests.version_0_1.stored import JOBS, copy_job, submitted

NAMES = sorted(path.name for path in JOBS.iterdir())


def oumi(*args: str) -> str:
    done = CliRunner().invoke(cli, args, prog_name="oumi")
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_job_alone(name: str, api: FaultServer):
    copy_job(name)
    [job] = json.loads(oumi("batch", "list", "--offline", "--json"))
    stored.check(name, "list", job)
    assert api.stats()["requests"] == 0


def test_all_jobs_the_newest_first(api: FaultServer):
    folders = [copy_job(name) for name in NAMES]
    jobs = json.loads(oumi("batch", "list", "--offline", "--json"))
    assert len(jobs) == len(folders)
    created = [job["created_at"] for job in jobs]
    assert created == sorted(created, reverse=True)
    assert api.stats()["requests"] == 0


@pytest.mark.parametrize("name", ["collected", "local_ended"])
def test_the_answers_of_a_job(name: str, api: FaultServer):
    job = copy_job(name)
    lines = oumi("batch", "results", job.name).splitlines()
    assert [Conversation.from_json(line).messages[:-1] for line in lines] == [
        conversation.messages for conversation in submitted(name)
    ]
    assert [json.loads(line) for line in lines] == [
        json.loads(line) for line in (job / "answers.jsonl").read_text().splitlines()
    ]
    assert api.stats()["requests"] == 0
