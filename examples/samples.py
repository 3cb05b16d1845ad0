"""Asks each question several times, and takes the answer that most samples give (self-consistency,
https://arxiv.org/abs/2203.11171). Runs on this machine with the model in the package; a second run
takes all answers from a cache.

python examples/samples.py
"""

from __future__ import annotations

from collections import Counter

import oumi
from oumi.core.configs import InferenceConfig

QUESTIONS = ["What is 17 plus 25?", "What is 9 times 8?", "What is the capital of France?"]
SAMPLES = 5


def main() -> None:
    """Print a line for each question."""
    answers = oumi.infer(
        QUESTIONS,
        InferenceConfig(cache="answers.sqlite"),
        n=SAMPLES,
        temperature=1.5,
        seed=1,
        max_new_tokens=24,
    )
    for at, question in enumerate(QUESTIONS):
        samples = answers[at * SAMPLES : (at + 1) * SAMPLES]
        texts = Counter(sample.messages[-1].content for sample in samples)
        [(text, votes)] = texts.most_common(1)
        print(f"{question} {text} ({votes} of {SAMPLES})")
    cached = sum(answer.metadata.get("from_cache", False) for answer in answers)
    print(f"{cached} of {len(answers)} answers came from the cache")


if __name__ == "__main__":
    main()
