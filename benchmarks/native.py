"""Do rows that join and leave pay on Transformers, and what does a schema cost?

500 requests of mixed length, answered until the model ends: through `infer`, by plain `generate`
in padded batches of 32 in the order of the input, by `generate` one at a time, and by Transformers'
own continuous batching, `generate_batch`. Then 500 answers held to a schema, beside free ones: each
as long as its guided twin, and all of one length, which is the best that a batch can be given. All
on the embedded model in float32.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from benchmarks.prices import PRICES
from benchmarks.report import alternate, median, ratio, show
from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.core.types.completion import Completion
from oumi.runner.request import Request

RUNS = 5
REQUESTS = 500
SAMPLE = 50
"""Of how many requests the slow ways answer; their figures are per request."""
BATCH = 32
LONGEST = 96
NO_END = {0: -100.0, 1: -100.0, 2: -100.0}  # the special tokens of the embedded model
MODEL = ModelParams(torch_dtype="float32")

Answer = Callable[[Sequence[str]], list[int]]


class Speed(NamedTuple):
    """Tokens per second by the clock, and per second of computing of all threads.

    The second is what a crowded machine leaves comparable.
    """

    by_clock: float
    by_cpu: float


def table() -> None:
    """Print both tables, or why there are none."""
    try:
        from oumi.inference import NativeTextInferenceEngine
    except ImportError as error:
        print(f"NATIVE is not measured: {error}")
        return
    questions = make_questions()
    with NativeTextInferenceEngine(MODEL) as engine:
        _show_ways(engine, questions)
        _show_schema(engine, questions)


def make_questions() -> list[str]:
    """Requests with prompts of 10 to 150 tokens and answers of 8 to 80, in a fixed order."""
    draw = random.Random(0)
    makers: list[Callable[[int], str]] = [
        lambda n: f"What is {n} plus {n % 7}?",
        lambda n: f"Count from 1 to {5 + n % 20}.",
        lambda n: f"Write a short story about {n} dogs.",
        lambda n: "Repeat after me: " + " ".join(["word"] * (n % 60 + 5)),
        lambda n: f"How do I read file number {n} in Python?",
    ]
    return [draw.choice(makers)(draw.randrange(100)) for _ in range(REQUESTS)]


class Reference:
    """Transformers driven by hand."""

    def __init__(self) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from oumi.models import TINY

        self._tokenizer = AutoTokenizer.from_pretrained(TINY / "hf", padding_side="left")
        self._model = AutoModelForCausalLM.from_pretrained(TINY / "hf", dtype="float32").eval()

    def batches(self, questions: Sequence[str], size: int = BATCH) -> list[int]:
        """Tokens of each answer, by padded batches."""
        counts: list[int] = []
        for start in range(0, len(questions), size):
            counts += self._batch(questions[start : start + size])
        return counts

    def continuous(self, questions: Sequence[str]) -> list[int]:
        """Tokens of each answer, by Transformers' continuous batching."""
        from transformers import ContinuousBatchingConfig

        outputs = self._model.generate_batch(
            [self._ids(question) for question in questions],
            generation_config=self._settings(),
            # With its own choice it takes most of the memory that is free.
            continuous_batching_config=ContinuousBatchingConfig(
                num_blocks=256, max_batch_tokens=512
            ),
            progress_bar=False,
        )
        return [len(output.generated_tokens) for output in outputs.values()]

    def _batch(self, questions: Sequence[str]) -> list[int]:
        import torch

        ids = [self._ids(question) for question in questions]
        padded = self._tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        with torch.inference_mode():
            output = self._model.generate(**padded, generation_config=self._settings())
        answers = output[:, padded["input_ids"].shape[1] :]
        return (answers != self._tokenizer.pad_token_id).sum(-1).tolist()

    def _ids(self, question: str) -> list[int]:
        messages = [{"role": "user", "content": question}]
        return self._tokenizer.apply_chat_template(messages, add_generation_prompt=True)[
            "input_ids"
        ]

    def _settings(self) -> Any:
        from transformers import GenerationConfig

        return GenerationConfig(
            max_new_tokens=LONGEST,
            do_sample=False,
            eos_token_id=[self._tokenizer.eos_token_id],
            pad_token_id=self._tokenizer.pad_token_id,
        )


def _show_ways(engine: Any, questions: Sequence[str]) -> None:
    sample = questions[:SAMPLE]
    # A model of its own, because continuous batching leaves another kind of attention behind.
    reference, continuous = Reference(), Reference()
    ways = {
        "infer": _timed(lambda q: _infer(engine, q, max_new_tokens=LONGEST), questions),
        f"generate, batches of {BATCH}": _timed(reference.batches, questions),
        "generate, one at a time": _timed(lambda q: reference.batches(q, 1), sample),
        "generate_batch": _timed(continuous.continuous, questions),
    }
    for way in ways.values():
        way()
    taken = alternate(RUNS, *ways.values())
    rows = [
        [name, f"{median(t):.0f}", f"{ratio(taken[0], t):.2f}"]
        for name, t in zip(ways, taken, strict=True)
    ]
    show("NATIVE", ["way", "requests/s", "infer is … times this"], rows)


def _show_schema(engine: Any, questions: Sequence[str]) -> None:
    guided = {"guided_decoding": GuidedDecodingParams(json=PRICES), "max_new_tokens": 256}
    lengths = _infer(engine, questions, **guided)
    tokens = round(statistics.mean(lengths))
    ways = {
        "held to a schema": _clocked(lambda: _infer(engine, questions, **guided)),
        "free, each as long": _clocked(lambda: _complete(engine, questions, lengths)),
        "free, all of one length": _clocked(
            lambda: _infer(engine, questions, max_new_tokens=tokens, logit_bias=NO_END)
        ),
    }
    for way in ways.values():
        way()
    taken = alternate(RUNS, *ways.values())
    rows = [[name, *_schema_cells(taken[0], t)] for name, t in zip(ways, taken, strict=True)]
    head = ["way", "tokens/s", "a schema costs", "tokens/s of CPU time", "a schema costs"]
    show(f"NATIVE, answers of {tokens} tokens", head, rows)


def _schema_cells(guided: Sequence[Speed], other: Sequence[Speed]) -> list[str]:
    """Tokens per second and what guided answers lose beside them, on both clocks."""
    cells: list[str] = []
    for mine, others in zip(zip(*guided, strict=True), zip(*other, strict=True), strict=True):
        cells += [f"{median(others):.0f}", f"{1 - ratio(mine, others):.0%}"]
    return cells


def _clocked(answer: Callable[[], list[int]]) -> Callable[[], Speed]:
    """A measure of tokens per second."""

    def measure() -> Speed:
        start, start_cpu = time.perf_counter(), time.process_time()
        tokens = sum(answer())
        return Speed(
            tokens / (time.perf_counter() - start), tokens / (time.process_time() - start_cpu)
        )

    return measure


def _timed(answer: Answer, questions: Sequence[str]) -> Callable[[], float]:
    """A measure of requests per second."""

    def measure() -> float:
        start = time.perf_counter()
        counts = answer(questions)
        assert len(counts) == len(questions)
        return len(questions) / (time.perf_counter() - start)

    return measure


def _infer(engine: Any, questions: Sequence[str], **fields: Any) -> list[int]:
    rows = [Conversation(messages=[Message(role=Role.USER, content=q)]) for q in questions]
    answers = engine.infer(rows, InferenceConfig(generation=GenerationParams(**fields)))
    return [answer.metadata["usage"]["completion_tokens"] for answer in answers]


def _complete(engine: Any, questions: Sequence[str], lengths: Sequence[int]) -> list[int]:
    """The same for free answers, each of a length of its own."""

    async def answer_all() -> list[Completion]:
        return await asyncio.gather(*map(engine.session().complete, requests))

    requests = [
        Request(
            Conversation(messages=[Message(role=Role.USER, content=question)]),
            InferenceConfig(
                model=MODEL,
                generation=GenerationParams(max_new_tokens=length, logit_bias=NO_END),
            ),
        )
        for question, length in zip(questions, lengths, strict=True)
    ]
    counts = [completion.usage.completion_tokens for completion in asyncio.run(answer_all())]
    assert counts == list(lengths)
    return counts
