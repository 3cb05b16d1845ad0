"""Does `infer` keep vLLM as busy as vLLM's own `LLM.chat` does, and what does a schema cost?

The same 500 short requests go through `VLLMInferenceEngine.infer`, with an output file, and
through `LLM.chat`, in turn. Both hold the embedded model with the same engine arguments, each in a
process of its own. Answers end where the model ends them, after 48 tokens at the latest. Then
500 answers of like length, free and held to a schema.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")

from vllm import LLM, SamplingParams

from benchmarks.native import NO_END
from benchmarks.prices import PRICES
from benchmarks.report import alternate, median, ratio, show
from oumi.backends.local.vllm.arguments import engine_args
from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import VLLMInferenceEngine
from oumi.runner.events import Event, RowDone

RUNS = 5
REQUESTS = 500
TOKENS = 48
MODEL = ModelParams(
    torch_dtype="float32", model_max_length=1024, model_kwargs={"enforce_eager": True}
)


@dataclasses.dataclass
class Measure:
    """One way to answer all requests; `tokens` is what the last run made."""

    name: str
    answer: Callable[[], int]
    tokens: int = 0

    def __call__(self) -> float:
        """Requests per second."""
        start = time.perf_counter()
        self.tokens = self.answer()
        return REQUESTS / (time.perf_counter() - start)


def table() -> None:
    """Print both tables."""
    llm = LLM(**_given(engine_args(MODEL)))
    with VLLMInferenceEngine(MODEL) as engine, tempfile.TemporaryDirectory() as folder:
        _show_ways(engine, llm, folder)
        _show_schema(engine, folder)


def _show_ways(engine: VLLMInferenceEngine, llm: LLM, folder: str) -> None:
    on_disk: list[int] = []
    ways = [
        Measure("infer, to a file", lambda: _infer(engine, folder, on_disk)),
        Measure("LLM.chat", lambda: _chat(llm)),
    ]
    taken = _measure(ways)
    rows = [
        [m.name, f"{median(t):.0f}", f"{_tokens(m, t):.0f}", f"{ratio(taken[0], t):.2f}"]
        for m, t in zip(ways, taken, strict=True)
    ]
    show("VLLM", ["way", "requests/s", "tokens/s", "infer is … times this"], rows)
    print(f"When half of the rows were answered, the journal held {min(on_disk)} rows or more.")


def _show_schema(engine: VLLMInferenceEngine, folder: str) -> None:
    guided = {"guided_decoding": GuidedDecodingParams(json=PRICES), "max_new_tokens": 256}
    tokens = round(_infer(engine, folder, [], **guided) / REQUESTS)
    free = {"max_new_tokens": tokens, "logit_bias": NO_END}
    ways = [
        Measure("free", lambda: _infer(engine, folder, [], **free)),
        Measure("held to a schema", lambda: _infer(engine, folder, [], **guided)),
    ]
    taken = _measure(ways)
    free_rate = _tokens(ways[0], taken[0])
    rows = [
        [m.name, f"{_tokens(m, t):.0f}", f"{1 - _tokens(m, t) / free_rate:.0%}"]
        for m, t in zip(ways, taken, strict=True)
    ]
    show(f"VLLM, answers of {tokens} tokens", ["way", "tokens/s", "costs"], rows)


def _measure(ways: list[Measure]) -> list[list[float]]:
    """Requests per second of each way, in turn, after a first time that does not count."""
    for way in ways:
        way()
    return alternate(RUNS, *ways)


def _tokens(measure: Measure, rates: list[float]) -> float:
    return median(rates) * measure.tokens / REQUESTS


def _given(args: Any) -> dict[str, Any]:
    """The arguments that differ from vLLM's defaults."""
    fresh = type(args)(model=args.model)
    names = [field.name for field in dataclasses.fields(args) if field.init]
    return {n: getattr(args, n) for n in names if getattr(args, n) != getattr(fresh, n)} | {
        "model": args.model
    }


def _questions() -> list[str]:
    return [f"Tell me about number {i}." for i in range(REQUESTS)]


def _infer(engine: VLLMInferenceEngine, folder: str, on_disk: list[int], **fields: Any) -> int:
    rows = [Conversation(messages=[Message(role=Role.USER, content=q)]) for q in _questions()]
    output = Path(folder) / f"{time.monotonic_ns()}.jsonl"
    generation = GenerationParams(**({"max_new_tokens": TOKENS} | fields))
    config = InferenceConfig(generation=generation, output_path=str(output))
    done = 0

    def count(event: Event) -> None:
        nonlocal done
        done += isinstance(event, RowDone)
        if done == REQUESTS // 2 and isinstance(event, RowDone):
            on_disk.append(Path(f"{output}.journal").read_bytes().count(b"\n") - 1)

    answers = engine.infer(rows, config, on_event=count)
    return sum(answer.metadata["usage"]["completion_tokens"] for answer in answers)


def _chat(llm: LLM) -> int:
    messages = [[{"role": "user", "content": question}] for question in _questions()]
    params = SamplingParams(temperature=0.0, max_tokens=TOKENS)
    outputs = llm.chat(messages, params, use_tqdm=False)
    return sum(len(output.outputs[0].token_ids) for output in outputs)
