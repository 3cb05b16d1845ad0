"""What does `infer` cost over the bare binding, and what do parallel slots bring?

The same short requests go through `LlamaCppInferenceEngine.infer`, through the binding driven by
hand from a thread a slot, over HTTP to llama.cpp's own server, and through `infer` one at a time.
All load the embedded model with the same parameters. Free answers are exactly 32 tokens long; then
come answers held to a schema, the same in each way.
"""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import orjson
import xllamacpp

from benchmarks.prices import PRICES as PRICE_LIST
from benchmarks.report import alternate, median, ratio, show
from oumi.backends.local.llama_cpp.params import make_params
from oumi.backends.local.llama_cpp.settings import llguidance
from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import LlamaCppInferenceEngine

RUNS = 5
REQUESTS = 300
SLOTS = 32
TOKENS = 32
NO_END = {0: -100.0, 1: -100.0, 2: -100.0}  # the special tokens of the embedded model
PRICES = GuidedDecodingParams(json=PRICE_LIST)
API_KEY = "bench"


class Task(NamedTuple):
    """What is asked of all questions; `grammar` is that of its schema, as llama.cpp takes it."""

    generation: GenerationParams
    grammar: str = ""


Way = Callable[[Task], int]
"""Answers all questions and returns the tokens of all answers."""


def table() -> None:
    """Print requests per second, and each figure's ratio to `infer` with all slots."""
    model = ModelParams(model_kwargs={"n_parallel": SLOTS})
    single = ModelParams(model_kwargs={"n_parallel": 1})
    server = xllamacpp.Server(make_params(model, api_key=API_KEY))
    free = Task(GenerationParams(max_new_tokens=TOKENS, logit_bias=NO_END))
    guided = Task(
        GenerationParams(max_new_tokens=256, guided_decoding=PRICES), llguidance(PRICES, None)
    )
    with (
        LlamaCppInferenceEngine(model) as engine,
        LlamaCppInferenceEngine(single) as one_slot,
        ThreadPoolExecutor(SLOTS) as pool,
    ):
        ways: dict[str, Way] = {
            f"infer, {SLOTS} slots": partial(_infer, engine),
            f"the binding by hand, {SLOTS} slots": partial(_by_hand, server, pool),
            f"llama.cpp's server, {SLOTS} slots": partial(_over_http, server, pool),
            "infer, 1 slot": partial(_infer, one_slot),
        }
        _show("LLAMACPP", ways, free)
        _show("LLAMACPP, held to a schema", ways, guided)


def _show(title: str, ways: dict[str, Way], task: Task) -> None:
    counts = {name: way(task) for name, way in ways.items()}
    tokens = counts[next(iter(counts))]
    assert set(counts.values()) == {tokens}, counts
    taken = alternate(RUNS, *(_timed(way, task) for way in ways.values()))
    rows = [
        [name, f"{median(t):.0f}", f"{median(t) * tokens / REQUESTS:.0f}", _times(taken[0], t)]
        for name, t in zip(ways, taken, strict=True)
    ]
    show(title, ["way", "requests/s", "tokens/s", "infer is … times this"], rows)


def _times(infer: Sequence[float], other: Sequence[float]) -> str:
    return f"{ratio(infer, other):.2f}"


def _timed(way: Way, task: Task) -> Callable[[], float]:
    """A measure of requests per second."""

    def measure() -> float:
        start = time.perf_counter()
        way(task)
        return REQUESTS / (time.perf_counter() - start)

    return measure


def _questions() -> list[str]:
    return [f"Tell me about number {i}." for i in range(REQUESTS)]


def _infer(engine: LlamaCppInferenceEngine, task: Task) -> int:
    rows = [Conversation(messages=[Message(role=Role.USER, content=q)]) for q in _questions()]
    answers = engine.infer(rows, InferenceConfig(generation=task.generation))
    return sum(a.metadata["usage"]["completion_tokens"] for a in answers)


def _by_hand(server: xllamacpp.Server, pool: ThreadPoolExecutor, task: Task) -> int:
    def ask(question: str) -> int:
        replies: list[bytes] = []
        server.handle_chat_completions(_body(question, task), replies.append)
        return _tokens(replies[0])

    return sum(pool.map(ask, _questions()))


def _over_http(server: xllamacpp.Server, pool: ThreadPoolExecutor, task: Task) -> int:
    url = f"{server.listening_address}/v1/chat/completions"
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}

    def ask(question: str) -> int:
        call = urllib.request.Request(url, _body(question, task), headers)
        with urllib.request.urlopen(call) as reply:
            return _tokens(reply.read())

    return sum(pool.map(ask, _questions()))


def _body(question: str, task: Task) -> bytes:
    return orjson.dumps(
        {
            "messages": [{"role": "user", "content": question}],
            "max_tokens": task.generation.max_new_tokens,
            "temperature": 0.0,
            "logit_bias": list(task.generation.logit_bias.items()),
            "grammar": task.grammar,
        }
    )


def _tokens(reply: bytes) -> int:
    return int(orjson.loads(reply)["usage"]["completion_tokens"])
