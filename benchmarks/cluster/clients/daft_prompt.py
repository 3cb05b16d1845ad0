"""Daft's `prompt` on its native runner, in one process.

On its Ray runner, and with 2,000 rows and these failures on either, it came to no end (0.7.26).
"""

from __future__ import annotations

import daft
from daft.functions import prompt

from benchmarks.cluster.clients.frame import Answers, Spec, questions, run


def work(spec: Spec) -> Answers:
    """A data frame in, one out."""
    texts = [row["text"] for row in questions(spec)]
    answer = prompt(
        daft.col("text"),
        provider="openai",
        model="bench",
        use_chat_completions=True,
        on_error="log",
    )
    # It asks all rows of a batch at once, and has no setting for how many.
    frame = daft.from_pydict({"text": texts}).into_batches(spec.in_flight)
    answers = frame.with_column("answer", answer).to_pydict()
    yield from zip(answers["text"], answers["answer"], strict=True)


if __name__ == "__main__":
    run(f"Daft {daft.__version__}", work)
