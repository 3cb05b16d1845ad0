"""Runs that end in the midst of repairs: what is paid for stays, what does not fit stays out."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig
from oumi.core.types import Conversation, InferenceResult
from oumi.runner import loop
from oumi.runner.events import Event, RowRepaired
from oumi.runner.inference_job import InferenceJob
from tests.conftest import count_records
from tests.fault_server import FaultServer
from tests.structured.scripts import (
    GOOD,
    WRONG,
    bodies,
    engine,
    reply,
    rows,
    settings,
    write_rows,
)

ROWS = 400
KILLS = 6
WORKERS = 20

RUN = """
import sys
from tests.fault_server import FaultServer
from tests.structured.scripts import engine, settings
server = FaultServer()
server.url = sys.argv[1]
with engine(server, num_workers=20) as opened:
    opened.infer(None, settings(input_path=sys.argv[2], output_path=sys.argv[3]))
"""

MIXED = [
    {"kind": "answer", "share": 0.5, "times": None, "message": {"content": WRONG}}
    | {"mended": {"content": f"Here: {GOOD}"}}
]


def start(server: FaultServer, source: Path, output: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, server.url, source, output])


def finish(server: FaultServer, source: Path, output: Path) -> None:
    assert start(server, source, output).wait(60) == 0


def test_a_kill_in_a_repair_costs_the_repair_only(server: FaultServer, tmp_path: Path):
    source, output = write_rows(tmp_path / "in.jsonl", 1), tmp_path / "out.jsonl"
    server.plan(scripts={"row-0": [reply(WRONG), {"kind": "hang"}]})
    process = start(server, source, output)
    server.wait_until(lambda stats: stats["requests"] == 2, timeout_s=30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not output.exists()

    server.plan(message={"content": GOOD})
    with engine(server) as opened:
        files = {"input_path": str(source), "output_path": str(output)}
        [conversation] = opened.infer(None, settings(**files))
    [body] = bodies(server)
    assert body["messages"][1] == {"role": "assistant", "content": WRONG}
    assert conversation.messages[-1].content == GOOD
    assert conversation.metadata["structured"] == "repaired"
    assert conversation.metadata["usage"]["completion_tokens"] == 10
    facts = json.loads((tmp_path / "out.jsonl.run.json").read_text())
    assert facts["usage"]["completion_tokens"] == 10, "all that the rows cost"
    assert facts["last_session"]["usage"]["completion_tokens"] == 5, "what this session paid"


def test_an_answer_that_was_recorded_but_not_checked_is_not_handed_out(
    server: FaultServer, tmp_path: Path
):
    source, output = write_rows(tmp_path / "in.jsonl", 2), tmp_path / "out.jsonl"
    files = {"input_path": str(source), "output_path": str(output)}
    server.plan(scripts={"row-0": [reply(WRONG)], "row-1": [reply(GOOD)]})
    with engine(server) as opened:
        opened.infer_partial(None, settings(max_repairs=0, **files))
        _keep_answers_only(tmp_path)
        server.plan(message={"content": GOOD})
        result = opened.infer(None, settings(max_repairs=0, **files))
    assert [conversation.parsed()["price"] for conversation in result] == [9, 9]
    assert list(server.stats()["rows"]) == ["row-0"], "what fits is not asked for again"


def _keep_answers_only(folder: Path) -> None:
    """As a kill between the record of an answer and the check of it leaves things."""
    journal = folder / "out.jsonl.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"failure"' not in line))
    for name in ("out.jsonl", "out.jsonl.failures.jsonl", "out.jsonl.run.json"):
        (folder / name).unlink()


def stopped_before_a_repair(
    server: FaultServer, conversations: list[Conversation] | None, config: InferenceConfig
) -> InferenceResult:
    """A run that is stopped, as by Ctrl-C, between an answer and the next question."""

    def listen(event: Event) -> None:
        if isinstance(event, RowRepaired):
            job.stop()

    with engine(server) as opened:
        job = InferenceJob(opened.session(config), conversations, listen)
        return loop.call(job.run())


def test_a_run_that_is_stopped_before_a_repair_goes_on_with_it(server: FaultServer, tmp_path: Path):
    source, output = write_rows(tmp_path / "in.jsonl", 1), tmp_path / "out.jsonl"
    config = settings(input_path=str(source), output_path=str(output))
    server.plan(scripts={"row-0": [reply(WRONG), reply(GOOD)]})
    stopped_before_a_repair(server, None, config)
    assert server.stats()["requests"] == 1
    assert not output.exists()
    with engine(server) as opened:
        [conversation] = opened.infer(None, config)
    assert conversation.metadata["structured"] == "repaired"
    assert server.stats()["requests"] == 2


def test_a_run_without_files_that_is_stopped_hands_nothing_out(server: FaultServer):
    server.plan(message={"content": WRONG})
    assert len(stopped_before_a_repair(server, rows(3), settings()).conversations) == 0


def test_rows_in_another_order_keep_their_repaired_answers(server: FaultServer, tmp_path: Path):
    source, output = write_rows(tmp_path / "in.jsonl", 20), tmp_path / "out.jsonl"
    files = {"input_path": str(source), "output_path": str(output)}
    server.plan(faults=MIXED, message={"content": GOOD})
    with engine(server) as opened:
        first = opened.infer(None, settings(**files))
        lines = source.read_text().splitlines(keepends=True)
        before = {c.conversation_id: c.to_dict() for c in first}
        asked = server.stats()["requests"]
        source.write_text("".join(reversed(lines)))
        again = opened.infer(None, settings(overwrite=True, **files))
    assert [c.conversation_id for c in again] == [f"id-{i}" for i in reversed(range(20))]
    assert {c.conversation_id: c.to_dict() for c in again} == before
    assert asked > 20
    assert server.stats()["requests"] == asked


@pytest.mark.slow
def test_kills_lose_nothing_and_let_nothing_through(server: FaultServer, tmp_path: Path):
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    unbroken, output = tmp_path / "unbroken.jsonl", tmp_path / "out.jsonl"
    plan = {"latency_ms": 5, "faults": MIXED, "message": {"content": GOOD}}
    server.plan(**plan)
    finish(server, source, unbroken)
    needed = server.stats()["requests"]
    assert ROWS < needed < 2 * ROWS

    server.plan(**plan)
    journal = Path(f"{output}.journal")
    moments = random.Random(5)
    for _ in range(KILLS):
        goal = count_records(journal) + moments.randrange(1, 2 * needed // KILLS)
        process = start(server, source, output)
        while count_records(journal) < min(goal, needed) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finish(server, source, output)

    assert output.read_bytes() == unbroken.read_bytes()
    assert server.stats()["requests"] - needed <= KILLS * WORKERS
    assert count_records(journal) == needed, "each answer is recorded once"
    facts, whole = (
        json.loads(Path(f"{path}.run.json").read_text())["usage"] for path in (output, unbroken)
    )
    assert facts == whole
