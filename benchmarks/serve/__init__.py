"""What does a request cost `oumi serve`, beside the engine without a server before it, and beside
the LiteLLM proxy? How fast is a model on this machine behind it, beside llama.cpp's own server?

In front of the fault server of the tests, which answers at once in a process of its own, the
computing time of the server's process alone is counted. The reference is `infer` over as many
rows, in this process. The local model is measured by the clock.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tests.fault_server import FaultServer

from benchmarks.report import alternate, median, ratio, show
from benchmarks.serve.client import IN_FLIGHT, ask_all, first_event_s
from benchmarks.serve.servers import (
    Server,
    has_litellm,
    litellm_proxy,
    llama_server,
    oumi_serve,
)
from oumi.core.configs import ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import RemoteInferenceEngine

RUNS = 3
REQUESTS = 10_000
STREAMS = 2_000
EVENTS = 50
OF_LITELLM = 0.04
"""The share of the requests that the LiteLLM proxy is asked, so that it takes about as long."""
SLOTS = 32
LOCAL_REQUESTS = 300
LOCAL_TOKENS = 32
FIRST_EVENTS = 30
KEY = "of-the-benchmark"
NO_END = {"0": -100.0, "1": -100.0, "2": -100.0}  # the special tokens of the embedded model


def table() -> None:
    """Print both tables."""
    _costs()
    _local()


def _costs() -> None:
    with ExitStack() as stack:
        upstream = stack.enter_context(FaultServer(message={"content": "word " * (EVENTS - 1)}))
        arguments = ["--engine", "REMOTE", "--model.model_name", "m"]
        arguments += ["--remote_params.api_url", upstream.api_url]
        servers = {"oumi serve": stack.enter_context(oumi_serve(*arguments))}
        if has_litellm():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            servers["LiteLLM proxy"] = stack.enter_context(litellm_proxy(upstream.api_url, folder))
        for stream in (False, True):
            _compare(servers, upstream.api_url, stream=stream)
        for name, server in servers.items():
            print(f"{name}: {server.resident_mb():.0f} MB in the end")


def _compare(servers: dict[str, Server], upstream: str, *, stream: bool) -> None:
    count = STREAMS if stream else REQUESTS
    measures: dict[str, Callable[[], float]] = {
        name: partial(_served, server, _share(name, count), stream=stream)
        for name, server in servers.items()
    }
    if not stream:
        measures["infer"] = partial(_inferred, upstream, REQUESTS)
    for measure in measures.values():
        measure()
    taken = alternate(RUNS, *measures.values())
    rows = [
        [name, f"{median(t):.0f}", f"{ratio(taken[0], t):.2f}"]
        for name, t in zip(measures, taken, strict=True)
    ]
    title = f"Streams of {EVENTS} events" if stream else "Whole answers"
    show(title, ["what", "per second of computing time", "oumi serve is … times this"], rows)


def _share(name: str, count: int) -> int:
    return count if name == "oumi serve" else int(count * OF_LITELLM)


def _served(server: Server, count: int, *, stream: bool) -> float:
    before_s = server.cpu_s()
    ask_all(server.url, count, partial(_body, stream=stream))
    return count / (server.cpu_s() - before_s)


def _body(number: int, *, stream: bool) -> dict[str, Any]:
    messages = [{"role": "user", "content": _text(number)}]
    return {"model": "m", "messages": messages, "stream": stream}


def _text(number: int) -> str:
    return f"Question row-{number}: " + "x" * 280


def _inferred(url: str, count: int) -> float:
    rows = [
        Conversation(messages=[Message(role=Role.USER, content=_text(n))]) for n in range(count)
    ]
    remote = RemoteParams(api_url=url, num_workers=IN_FLIGHT)
    with RemoteInferenceEngine(ModelParams("m"), remote_params=remote) as engine:
        before = resource.getrusage(resource.RUSAGE_SELF)
        engine.infer(rows)
        after = resource.getrusage(resource.RUSAGE_SELF)
    spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return count / spent_s


def _local() -> None:
    slots = ("--model.model_kwargs", f'{{"n_parallel": {SLOTS}}}')
    with oumi_serve(*slots) as ours, llama_server(SLOTS, KEY) as theirs:
        servers = {"oumi serve": ours, "llama.cpp's own server": theirs}
        rates = [partial(_local_rate, server) for server in servers.values()]
        firsts = [partial(_first_ms, server) for server in servers.values()]
        for measure in (*rates, *firsts):
            measure()
        rate, first = alternate(RUNS, *rates), alternate(RUNS, *firsts)
    rows = [
        [name, f"{median(r):.0f}", f"{ratio(rate[0], r):.2f}", f"{median(f):.1f}"]
        for name, r, f in zip(servers, rate, first, strict=True)
    ]
    head = ["what", "requests/s", "oumi serve is … times this", "ms to the first text, alone"]
    show(f"The embedded model, {SLOTS} slots, {LOCAL_TOKENS} tokens each", head, rows)


def _local_rate(server: Server) -> float:
    return LOCAL_REQUESTS / ask_all(server.url, LOCAL_REQUESTS, _local_body, KEY)


def _first_ms(server: Server) -> float:
    return median([1e3 * first_event_s(server.url, _local_body, KEY) for _ in range(FIRST_EVENTS)])


def _local_body(number: int) -> dict[str, Any]:
    return {
        "model": "oumi-tiny",
        "messages": [{"role": "user", "content": f"Tell me about number {number}."}],
        "max_tokens": LOCAL_TOKENS,
        "temperature": 0,
        "logit_bias": NO_END,
    }
