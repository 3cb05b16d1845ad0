"""Runs a client against the fault server, each on a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.fault_server import FaultServer

from benchmarks.remote.clients.frame import Spec, messages

ROOT = Path(__file__).parents[2]
OURS, LOOP, UPSTREAM, CLUSTER = "ours", "bare_loop", "upstream", "cluster"
OPENAI, LITELLM = "openai_sdk", "litellm_sdk"
NAMES = {
    OURS: "infer",
    LOOP: "bare loop on our transport",
    UPSTREAM: "upstream infer",
    OPENAI: "openai AsyncOpenAI",
    LITELLM: "litellm acompletion",
}
_PEERS = {UPSTREAM: "oumi", OPENAI: "openai", LITELLM: "litellm"}


@dataclass(frozen=True)
class Taken:
    """What a run took."""

    requests: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    failed: int

    @property
    def per_cpu_s(self) -> float:
        """Requests per second of CPU time."""
        return self.requests / self.cpu_s


class Bench:
    """A server, a folder for files, and clients to run. Made by `opened`."""

    def __init__(self, server: FaultServer, folder: Path, *, is_pinned: bool):
        self.server = server
        self.folder = folder
        self._cores = _cores() if is_pinned else []
        if self._cores:
            os.sched_setaffinity(server.pid, {self._cores[1]})

    def run(self, client: str, requests: int, in_flight: int, **settings: Any) -> Taken:
        """Run a client to its end. Ours gets a file of its own each time."""
        with self.start(client, requests, in_flight, **settings) as process:
            return result(process)

    @contextmanager
    def start(
        self, client: str, requests: int, in_flight: int, **settings: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """A client at work."""
        if client in (OURS, CLUSTER) and "output_path" not in settings:
            settings.update(input_path=str(self.input(requests)), output_path=str(self.output()))
        core = self._cores[0] if self._cores else None
        spec = Spec(self.server.api_url, requests, in_flight, core, **settings)
        with subprocess.Popen(
            [
                _python(client),
                "-m",
                f"benchmarks.remote.clients.{client}",
                json.dumps(asdict(spec)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield process

    def input(self, rows: int) -> Path:
        """A file with as many conversations."""
        path = self.folder / f"{rows}.jsonl"
        if not path.exists():
            with path.open("w") as file:
                for row in range(rows):
                    line = {"conversation_id": f"c{row}", "messages": messages(row)}
                    file.write(json.dumps(line) + "\n")
        return path

    def output(self) -> Path:
        """Where an output can go; that of the last run is removed."""
        for old in self.folder.glob("output.jsonl*"):
            old.unlink()
        return self.folder / "output.jsonl"


@contextmanager
def opened(*, is_pinned: bool = True) -> Iterator[Bench]:
    """A bench with its server; pinned, the server and the client have a core each."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, FaultServer() as server:
        yield Bench(server, Path(folder), is_pinned=is_pinned)


def result(process: subprocess.Popen[str]) -> Taken:
    """What a client says at its end."""
    out, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a client ended with {process.returncode}")
    return Taken(**json.loads(out.splitlines()[-1]))


def present(*clients: str) -> list[str]:
    """Those clients that are installed."""
    return [client for client in clients if Path(_python(client)).exists()]


def absent(*clients: str, cells: int) -> list[list[str]]:
    """Rows of a table for those that are not."""
    missing = [client for client in clients if client not in present(*clients)]
    return [[NAMES[c], "not installed", *[""] * (cells - 2)] for c in missing]


def _python(client: str) -> str:
    if client not in _PEERS:
        return sys.executable
    return str(ROOT / ".venv-peers" / _PEERS[client] / "bin" / "python")


def _cores() -> list[int]:
    """A core for the client and one for the server, where they can be chosen."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return cores[:2] if len(cores) > 1 else []
