"""Finds the texts that mean most nearly what is asked. Runs with the model in the package, whose
vectors are rough; any engine with embeddings takes its place.

python examples/embeddings.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from oumi.core.configs import InferenceConfig
from oumi.core.types.embedding import Vector
from oumi.inference import LlamaCppInferenceEngine

TEXTS = (
    "What is 12 plus 30?",
    "The capital of Italy is Rome.",
    "What is 7 plus 8?",
    "The capital of Spain is Madrid.",
)
QUERIES = ("What is 5 plus 6?", "The capital of Japan is Tokyo.")


def likeness(one: Vector, other: Vector) -> float:
    """From -1 to 1, for vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def main(folder: Path) -> None:
    """Print the two texts that are nearest to each query."""
    # With an output the vectors are kept: a second run asks for nothing.
    config = InferenceConfig(output_path=str(folder / "vectors.jsonl"))
    with LlamaCppInferenceEngine() as engine:
        vectors = engine.embed(TEXTS, config).vectors
        for query, asked in zip(QUERIES, engine.embed(QUERIES).vectors, strict=True):
            order = sorted(range(len(TEXTS)), key=lambda i: -likeness(asked, vectors[i]))
            print(query, "->", " | ".join(sorted(TEXTS[i] for i in order[:2])))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
