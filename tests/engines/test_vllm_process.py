"""What happens to a run, and to vLLM's process, when one of them is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("vllm")

from oumi.inference import VLLMInferenceEngine
from tests.conftest import ask, sums
from tests.engines.asking import generation
from tests.engines.conftest import vllm_params

ROWS = 4000
"""More than are answered in the moments between two looks at four journals, one at a time."""

SCRIPT = """
import sys
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.errors import EngineError
from oumi.inference import VLLMInferenceEngine

print("SCRIPT RUNS", flush=True)
engine = VLLMInferenceEngine(ModelParams(
    torch_dtype="float32", model_max_length=1024, model_kwargs={"enforce_eager": True}
))
config = InferenceConfig(
    generation=GenerationParams(max_new_tokens=12, batch_size=int(sys.argv[3])),
    input_path=sys.argv[1], output_path=sys.argv[2],
)
try:
    engine.infer(None, config)
except EngineError as error:
    sys.exit(f"EngineError: {error}")
"""


class Script:
    """A plain script, without a `__main__` guard, that answers a file."""

    def __init__(self, folder: Path, source: Path):
        self.output = folder / "out.jsonl"
        file = folder / "script.py"
        file.write_text(SCRIPT)
        self._command = [sys.executable, str(file), str(source), str(self.output)]

    def begin(self, at_once: int = 1) -> subprocess.Popen[str]:
        """A process group of its own, as a terminal makes it."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([*self._command, str(at_once)], start_new_session=True, **pipes)

    @property
    def recorded(self) -> int:
        """Rows in the journal."""
        journal = Path(f"{self.output}.journal")
        return journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0


@pytest.fixture
def script(vllm_environment: None, write_jsonl: Callable[..., Path], tmp_path: Path) -> Script:
    return Script(tmp_path, write_jsonl(sums(ROWS)))


def children(pid: int) -> list[int]:
    """Processes whose parent is `pid`, and theirs."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # a process belongs to one of the threads
    direct = [int(child) for file in lists for child in file.read_text().split()]
    return direct + [below for child in direct for below in children(child)]


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Return once it holds, or once the process has ended."""
    while not condition() and (process is None or process.poll() is None):
        time.sleep(0.01)


def core_of(process: subprocess.Popen[str]) -> int:
    """The process of vLLM's engine."""
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children(process.pid)}
    return next(pid for pid, title in titles.items() if "EngineCore" in title)


@pytest.mark.timeout(500)
def test_a_run_goes_on_whatever_ended_it(script: Script):
    """Ctrl-C, SIGKILL, and vLLM's own end: answers stay, and no process does."""
    ends = {
        "Ctrl-C": lambda process: os.killpg(process.pid, signal.SIGINT),
        "SIGKILL": lambda process: process.send_signal(signal.SIGKILL),
        "vLLM dies": lambda process: os.kill(core_of(process), signal.SIGKILL),
    }
    outputs = {}
    for name, end in ends.items():
        before = script.recorded
        process = script.begin()
        wait_until(lambda before=before: script.recorded > before, process)
        left = children(process.pid)
        wait_until(lambda before=before: script.recorded >= before + 20, process)
        end(process)
        outputs[name] = process.communicate()[0]
        assert process.returncode != 0
        assert before + 20 <= script.recorded < ROWS, f"{name}: {outputs[name]}"
        wait_until(lambda left=left: not any(map(is_alive, left)))
        assert outputs[name].count("SCRIPT RUNS") == 1
    assert "KeyboardInterrupt" in outputs["Ctrl-C"]
    assert "EngineError: vLLM's process has ended" in outputs["vLLM dies"]

    before = script.recorded
    process = script.begin(at_once=64)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    assert len(script.output.read_text().splitlines()) == ROWS
    assert script.recorded == ROWS, "no row was asked for twice"
    assert before < ROWS


@pytest.mark.timeout(200)
def test_a_script_that_is_ended_while_it_loads_leaves_nothing(script: Script):
    process = script.begin()
    wait_until(lambda: len(children(process.pid)) >= 3, process)
    left = children(process.pid)
    assert len(left) >= 3, process.communicate()[0]
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate()
    wait_until(lambda: not any(map(is_alive, left)))


def test_a_closed_engine_leaves_no_process(vllm_environment: None):
    before = set(children(os.getpid()))
    engine = VLLMInferenceEngine(vllm_params())
    begun = set(children(os.getpid())) - before - set(trackers())
    assert begun
    engine.close()
    engine.close()
    wait_until(lambda: not any(map(is_alive, begun)))
    with pytest.raises(Exception, match="the engine is closed"):
        engine.infer([ask("Hi")], generation())


def trackers() -> list[int]:
    """Python's own helper, which stays as long as this process."""
    titles = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children(os.getpid())}
    return [pid for pid, title in titles.items() if "resource_tracker" in title]
