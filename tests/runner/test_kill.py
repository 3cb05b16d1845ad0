"""SIGKILL at random moments: no answer is lost, none is asked for twice, the output is the same."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import sums

ROWS = 2000
KILLS = 20

RUN = """
import sys
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.inference import LlamaCppInferenceEngine
config = InferenceConfig(
    generation=GenerationParams(max_new_tokens=12), input_path=sys.argv[1], output_path=sys.argv[2]
)
with LlamaCppInferenceEngine() as engine:
    engine.infer(None, config)
    print(engine.asked)
"""


def start(source: Path, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(source), str(output)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(source: Path, output: Path) -> int:
    """Run to the end; how many rows the engine was asked for, by its own counter."""
    process = start(source, output)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return int(printed)


def recorded_rows(journal: Path) -> list[int]:
    """The rows with an answer, in the order of the journal, without a torn last line."""
    if not journal.exists():
        return []
    *lines, _ = journal.read_bytes().split(b"\n")
    return [json.loads(line)["row"] for line in lines[1:]]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_kills_cost_at_most_what_was_in_flight(tmp_path: Path, write_jsonl):
    source = write_jsonl(sums(ROWS))
    unbroken, output = tmp_path / "unbroken.jsonl", tmp_path / "out.jsonl"
    assert finish(source, unbroken) == ROWS

    journal = Path(f"{output}.journal")
    moments = random.Random(7)
    for _ in range(KILLS):
        process = start(source, output)
        goal = len(recorded_rows(journal)) + moments.randrange(0, 2 * ROWS // KILLS)
        while len(recorded_rows(journal)) < min(goal, ROWS) and process.poll() is None:
            time.sleep(0.05)
        time.sleep(moments.uniform(0, 0.3))  # any moment is as good as another
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not output.exists() or output.read_bytes() == unbroken.read_bytes()

    before = len(recorded_rows(journal))
    asked = finish(source, output)
    assert asked == ROWS - before, "no finished row is asked again"
    assert sorted(recorded_rows(journal)) == list(range(ROWS)), "one answer a row"
    assert output.read_bytes() == unbroken.read_bytes()
