"""File systems that refuse: `oumi` on one, with the fault server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.fault_server import FaultServer

NO_FLOCK = "flock:38:"
"""ENOSYS, as Lustre answers that is mounted without `-o flock`."""

Start = Callable[..., "subprocess.Popen[str]"]


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a process that ends by itself."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def engine(server: FaultServer, name: str = "REMOTE_VLLM") -> list[str]:
    """Options for an engine that asks the server."""
    url = f"--remote_params.api_url={server.api_url}"
    key = ["--remote_params.api_key=k"] if name == "OPENAI" else []
    return ["--engine", name, "--model.model_name=m", url, *key]


def write_rows(path: Path, count: int) -> Path:
    """A file of conversations that the fault server tells apart."""
    lines = (
        json.dumps({"messages": [{"role": "user", "content": f"row-{i}"}]}) + "\n"
        for i in range(count)
    )
    path.write_text("".join(lines))
    return path


def written(output: Path) -> list[str]:
    """The answers in an output file."""
    return [json.loads(line)["messages"][-1]["content"] for line in output.read_text().splitlines()]
