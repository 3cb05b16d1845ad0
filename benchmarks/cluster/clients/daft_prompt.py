"""Daft's `prompt` on its native runner, in one process: on Ray it did not end with these rows."""

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
    frame = daft.from_pydict({"text": texts}).with_column("answer", answer).to_pydict()
    yield from zip(frame["text"], frame["answer"], strict=True)


if __name__ == "__main__":
    run(f"Daft {daft.__version__}", work)
