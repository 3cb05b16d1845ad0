"""A batch is started once, wherever the submitting process or its connection breaks."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oumi.errors import UnavailableError
from oumi.inference import OpenAIInferenceEngine, TogetherInferenceEngine
from tests.batch.api import ThreeAtOnce, expected, folders, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

ROWS = 310
KILLS = 20

SUBMIT = """
import sys
from oumi.core.configs import InferenceConfig
from tests.batch.api import ThreeAtOnce, make, rows, with_batches
from oumi.backends.provider import BatchLimits

class Server:
    api_url = sys.argv[1]

class HundredAtOnce(ThreeAtOnce):
    @classmethod
    def row(cls):
        return with_batches(super().row(), BatchLimits(max_requests=100))

with make(Server, HundredAtOnce) as engine:
    print("begun", flush=True)
    print(engine.infer_batch(rows(int(sys.argv[2]))))
"""


@pytest.mark.parametrize("kind", [OpenAIInferenceEngine, TogetherInferenceEngine])
@pytest.mark.parametrize(
    ("lose", "uploads"),
    [({"POST batches": 1}, 1), ({"POST files": 1}, 2), ({"POST batches": 2, "GET batches": 1}, 1)],
)
def test_replies_that_get_lost(server: FaultServer, kind: type, lose: dict, uploads: int):
    form = "together" if kind is TogetherInferenceEngine else "openai"
    server.plan(batch={"lose": lose, "form": form})
    with make(server, kind) as engine:
        batch_id = engine.infer_batch(rows(3))
        engine.wait_for_batch(batch_id, poll_interval_s=0.005)
        assert answers(engine.get_batch_results(batch_id, rows(3))) == expected(range(3))
    seen = server.batches()
    assert len(seen["batches"]) == 1
    assert seen["counts"]["POST files"] == uploads


def test_a_server_without_metadata_is_asked_by_the_files_name(server: FaultServer):
    server.plan(batch={"lose": {"POST batches": 1}, "metadata": False})
    with make(server) as engine:
        engine.infer_batch(rows(3))
    assert len(server.batches()["batches"]) == 1


def test_a_batch_is_looked_for_by_whoever_comes_next(server: FaultServer):
    server.plan(batch={"lose": {"POST batches": 1}})
    with make(server, ThreeAtOnce, max_retries=0) as engine:
        with pytest.raises(Exception, match="connection"):
            engine.infer_batch(rows(5))
        [job] = folders()
        info = engine.get_batch_status(job.name)
        assert info.parts == 2
        engine.wait_for_batch(job.name, poll_interval_s=0.005)
        assert answers(engine.get_batch_results(job.name, rows(5))) == expected(range(5))
    assert set(server.batches()["rows"].values()) == {1}


def test_rows_whose_answers_may_follow_are_not_sent_again(server: FaultServer, openai):
    server.plan(batch={"hold": True, "content_lag": 1000})
    batch_id = openai.infer_batch(rows(3))
    openai.cancel_batch(batch_id)
    server.move_batch(id=batch_id, state="cancelled", done=2)
    for submit in (lambda: openai.resubmit_batch(batch_id), lambda: openai.infer_batch(rows(3))):
        with pytest.raises(UnavailableError, match="its output is not there yet"):
            submit()
    assert len(server.batches()["batches"]) == 1
    server.move_batch(plan={"content_lag": 0, "states": ["completed"]})
    again = openai.resubmit_batch(batch_id)
    assert answers(openai.get_batch_results(again)) == expected(range(3))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 1, "row-2": 2}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_while_submitting(server: FaultServer):
    server.plan(latency_ms=20)  # so that many a kill comes while a request is on its way
    moments = random.Random(11)
    whole_s = _time_of_one(server)
    jobs = kills = 0
    while kills < KILLS:
        jobs += 1
        while kills < KILLS and _is_killed(server, ROWS + jobs, moments.uniform(0, whole_s)):
            kills += 1
        name = _start(server, ROWS + jobs).communicate(timeout=60)[0].split()[-1]
        assert name.startswith("oumi-batch-")
    seen = server.batches()
    assert len(seen["batches"]) == 4 * (jobs + 1), "four parts a job"
    assert sum(seen["rows"].values()) == sum(ROWS + i for i in range(jobs + 1))
    tags = [batch["metadata"]["oumi_part"] for batch in seen["batches"]]
    assert len(set(tags)) == len(tags)


def _time_of_one(server: FaultServer) -> float:
    """How long a submission takes that nobody breaks."""
    process = _start(server, ROWS)
    process.stdout.readline()
    began_s = time.monotonic()
    process.communicate(timeout=60)
    return time.monotonic() - began_s


def _is_killed(server: FaultServer, count: int, after_s: float) -> bool:
    """Whether a submission was killed so long after its beginning, and not done before."""
    process = _start(server, count)
    process.stdout.readline()
    time.sleep(after_s)  # the moment of the kill is what the test varies
    is_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return is_running


def _start(server: FaultServer, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SUBMIT, server.api_url, str(count)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
