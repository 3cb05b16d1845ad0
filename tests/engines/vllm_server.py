"""A real vLLM server on the CPU, in a process group of its own that ends with the test session."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from oumi.models import TINY

MODEL = "oumi-tiny"
_START_S = 500
_END_S = 60
_FLAGS = (
    *("--served-model-name", MODEL, "--dtype", "float32"),
    *("--enforce-eager", "--max-num-seqs", "32"),
    *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
)


@dataclass(frozen=True)
class VllmServer:
    """A server that runs, or is about to; `log` holds a line for each request."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait_until_ready(self) -> None:
        """Return once it answers. Raises RuntimeError with the end of its log if it does not."""
        deadline_s = time.monotonic() + _START_S
        while not _is_healthy(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline_s:
                tail = self.log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"vLLM did not start ({self.process.returncode}):\n{tail}")
            time.sleep(0.2)

    def count_refused(self) -> int:
        """How many chat requests named a model that is not there."""
        return self.log.read_text().count('POST /v1/chat/completions HTTP/1.1" 404')


@contextmanager
def serve_vllm(folder: Path, *flags: str) -> Iterator[VllmServer]:
    """Start a server of oumi-tiny, without waiting for it.

    It is ended afterwards; raises AssertionError if it leaves a process behind.
    """
    server = _start(folder, flags)
    group = server.process.pid
    try:
        yield server
        server.wait_until_ready()  # one that is ended while it starts cannot end its children
        server.process.terminate()
        server.process.wait(_END_S)
        _wait_until_empty(group)
    finally:
        if _lives(group):
            os.killpg(group, signal.SIGKILL)
        server.process.wait()


def _start(folder: Path, flags: Sequence[str]) -> VllmServer:
    port = _free_port()
    log = folder / "server.log"
    command = [str(Path(sys.executable).with_name("vllm")), "serve", str(TINY / "hf")]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *address, *_FLAGS, *flags],
            env=_environment(folder),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return VllmServer(f"http://127.0.0.1:{port}", log, process)


def _environment(folder: Path) -> dict[str, str]:
    unwanted = ("OPENAI_", "HF_", "VLLM_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {
        **kept,
        "HOME": str(folder),
        "HF_HUB_OFFLINE": "1",
        "TORCH_COMPILE_DISABLE": "1",  # else the first log-probability waits for a compiler
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _wait_until_empty(group: int) -> None:
    deadline_s = time.monotonic() + _END_S
    while _lives(group):
        assert time.monotonic() < deadline_s, "vLLM left a process behind"
        time.sleep(0.1)


def _lives(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
