"""Does `oumi serve` keep vLLM as busy as `vllm serve` does?

The embedded model in both, with the same arguments of the engine, each in processes of its own, and
the same requests at the same concurrency, in turn. Runs in the environment of `make test-engines`.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tests.engines.vllm_server import serve_vllm

from benchmarks.report import alternate, median, ratio, show
from benchmarks.serve.client import IN_FLIGHT, ask_all, first_event_s
from benchmarks.serve.servers import Server, oumi_serve

RUNS = 3
REQUESTS = 200
TOKENS = 32
FIRST_EVENTS = 20
_LENGTH = 1024
_OURS = {
    "engine": "VLLM",
    "model.torch_dtype": "float32",
    "model.model_max_length": str(_LENGTH),
    "model.model_kwargs": json.dumps({"enforce_eager": True, "max_num_seqs": IN_FLIGHT}),
}
_THEIRS = ("--max-model-len", str(_LENGTH), "--max-num-seqs", str(IN_FLIGHT))
_NO_END = {"0": -100.0, "1": -100.0, "2": -100.0}  # the special tokens of the embedded model


def table() -> None:
    """Print requests per second, and the time to the first text of a stream that is alone."""
    os.environ |= {"VLLM_CPU_KVCACHE_SPACE": "1", "TORCH_COMPILE_DISABLE": "1"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        arguments = [word for name, value in _OURS.items() for word in (f"--{name}", value)]
        theirs = stack.enter_context(serve_vllm(folder, *_THEIRS))
        theirs.wait_until_ready()
        servers = {
            "oumi serve": stack.enter_context(oumi_serve(*arguments)),
            "vllm serve": Server(theirs.process.pid, theirs.url),
        }
        _compare(servers)


def _compare(servers: dict[str, Server]) -> None:
    whole = [partial(_rate, server, stream=False) for server in servers.values()]
    streams = [partial(_rate, server, stream=True) for server in servers.values()]
    firsts = [partial(_first_ms, server) for server in servers.values()]
    for measure in (*whole, *streams, *firsts):
        measure()
    taken = [alternate(RUNS, *measures) for measures in (whole, streams, firsts)]
    rows = [
        [
            name,
            f"{median(w):.1f}",
            f"{ratio(taken[0][0], w):.2f}",
            f"{median(s):.1f}",
            f"{ratio(taken[1][0], s):.2f}",
            f"{median(f):.1f}",
        ]
        for name, w, s, f in zip(servers, *taken, strict=True)
    ]
    head = ["what", "requests/s", "oumi serve is …", "streams/s", "oumi serve is …", "ms to a text"]
    show(f"vLLM, {IN_FLIGHT} in flight, {TOKENS} tokens each", head, rows)


def _rate(server: Server, *, stream: bool) -> float:
    return REQUESTS / ask_all(server.url, REQUESTS, partial(_body, stream=stream))


def _first_ms(server: Server) -> float:
    return median([1e3 * first_event_s(server.url, _body) for _ in range(FIRST_EVENTS)])


def _body(number: int, *, stream: bool = False) -> dict[str, Any]:
    return {
        "model": "oumi-tiny",
        "messages": [{"role": "user", "content": f"Tell me about number {number}."}],
        "max_tokens": TOKENS,
        "temperature": 0,
        "logit_bias": _NO_END,
        "stream": stream,
    }
