"""What does `infer` cost over the bare binding, and what do parallel slots bring?

The same short requests go through `LlamaCppInferenceEngine.infer`, through the binding driven by
hand from a thread a slot, and through `infer` one at a time. All load the embedded model with the
same parameters, and every answer is exactly 32 tokens long.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import xllamacpp

from benchmarks.report import alternate, median, ratio, show
from oumi.backends.local.llama_cpp.params import make_params
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import LlamaCppInferenceEngine

RUNS = 5
REQUESTS = 300
SLOTS = 32
TOKENS = 32
NO_END = {0: -100.0, 1: -100.0, 2: -100.0}  # the special tokens of the embedded model


def table() -> None:
    """Print requests per second, and each figure's ratio to `infer` with all slots."""
    model = ModelParams(model_kwargs={"n_parallel": SLOTS})
    single = ModelParams(model_kwargs={"n_parallel": 1})
    server = xllamacpp.Server(make_params(model, api_key="bench"))
    with (
        LlamaCppInferenceEngine(model) as engine,
        LlamaCppInferenceEngine(single) as one_slot,
        ThreadPoolExecutor(SLOTS) as pool,
    ):
        measures = {
            f"infer, {SLOTS} slots": lambda: _infer(engine),
            f"the binding by hand, {SLOTS} slots": lambda: _by_hand(server, pool),
            "infer, 1 slot": lambda: _infer(one_slot),
        }
        for measure in measures.values():
            measure()
        taken = alternate(RUNS, *measures.values())
    rows = [
        [name, f"{median(t):.0f}", f"{median(t) * TOKENS:.0f}", f"{ratio(taken[0], t):.2f}"]
        for name, t in zip(measures, taken, strict=True)
    ]
    show("LLAMACPP", ["way", "requests/s", "tokens/s", "infer is … times this"], rows)


def _questions() -> list[str]:
    return [f"Tell me about number {i}." for i in range(REQUESTS)]


def _infer(engine: LlamaCppInferenceEngine) -> float:
    rows = [Conversation(messages=[Message(role=Role.USER, content=q)]) for q in _questions()]
    generation = GenerationParams(max_new_tokens=TOKENS, logit_bias=NO_END)
    config = InferenceConfig(generation=generation)
    start = time.perf_counter()
    answers = engine.infer(rows, config)
    seconds = time.perf_counter() - start
    assert sum(a.metadata["usage"]["completion_tokens"] for a in answers) == REQUESTS * TOKENS
    return REQUESTS / seconds


def _by_hand(server: xllamacpp.Server, pool: ThreadPoolExecutor) -> float:
    def ask(question: str) -> int:
        body = {
            "messages": [{"role": "user", "content": question}],
            "max_tokens": TOKENS,
            "temperature": 0.0,
            "logit_bias": list(NO_END.items()),
        }
        replies: list[bytes] = []
        server.handle_chat_completions(orjson.dumps(body), replies.append)
        return int(orjson.loads(replies[0])["usage"]["completion_tokens"])

    start = time.perf_counter()
    tokens = sum(pool.map(ask, _questions()))
    seconds = time.perf_counter() - start
    assert tokens == REQUESTS * TOKENS
    return REQUESTS / seconds
