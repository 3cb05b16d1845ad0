"""The servers that are measured, each a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_PROXY = Path(__file__).parents[2] / ".venv-peers" / "proxy" / "bin" / "litellm"
_PROXY_STARTS_WITHIN_S = 180  # it took 45 s on a busy machine
_LLAMA = """
import sys, time, xllamacpp
from oumi.backends.local.llama_cpp.params import make_params
from oumi.core.configs import ModelParams
slots = int(sys.argv[1])
params = make_params(ModelParams(model_kwargs={"n_parallel": slots}), api_key=sys.argv[2])
params.n_threads_http = slots + 2  # as llama.cpp's own command has it
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
time.sleep(3600)
"""


@dataclass(frozen=True)
class Server:
    """A process that listens."""

    pid: int
    url: str

    def cpu_s(self) -> float:
        """Seconds of computing so far, by the figures that Linux keeps."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """The memory that it holds now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def oumi_serve(*arguments: str) -> Iterator[Server]:
    """`oumi serve` with these arguments."""
    command = [sys.executable, "-m", "oumi", "serve", "--port", "0", *arguments]
    with _process(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("ready: "):
                yield Server(process.pid, line.split()[1])
                return
    raise RuntimeError("oumi serve did not start")


@contextmanager
def llama_server(slots: int, key: str) -> Iterator[Server]:
    """llama.cpp's own server, as the binding has it, with the model and settings of LLAMACPP."""
    command = [sys.executable, "-c", _LLAMA, str(slots), key]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(process.pid, process.stdout.readline().strip())


def has_litellm() -> bool:
    """Whether `make bench-serve` has set up the LiteLLM proxy."""
    return _PROXY.exists()


@contextmanager
def litellm_proxy(upstream: str, folder: Path) -> Iterator[Server]:
    """The LiteLLM proxy with one worker, without keys, a database, and calls to the internet."""
    model = {"model": "openai/m", "api_base": upstream, "api_key": "any"}
    config = folder / "litellm.yaml"  # JSON is YAML
    config.write_text(json.dumps({"model_list": [{"model_name": "m", "litellm_params": model}]}))
    port = _free_port()
    command = [str(_PROXY), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    own = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    # Nobody but this machine reaches it, and ours asks for no key here either.
    own["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | own
    with (
        (folder / "litellm.log").open("w") as log,
        _process(command, env=environment, stdout=log, stderr=log) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/health/liveliness", process)
        yield Server(process.pid, url)


@contextmanager
def _process(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    process: subprocess.Popen[str] = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + _PROXY_STARTS_WITHIN_S
    while time.monotonic() < until_s and process.poll() is None:
        with suppress(URLError, ConnectionError, TimeoutError):
            urlopen(url, timeout=5).close()
            return
        time.sleep(0.3)
    raise RuntimeError(f"nothing answers at {url}")
