"""Takes products out of texts, as objects. Runs on this machine with the model in the package.

python examples/structured_outputs.py
"""

from __future__ import annotations

from pydantic import BaseModel

import oumi
from oumi.core.configs import GuidedDecodingParams
from oumi.inference import LlamaCppInferenceEngine

TEXTS = [
    "The new Nimbus kettle costs $45. It has a timer function and comes in red.",
    "The Orbit lamp costs $20. It has a dimmer and comes in blue.",
]


class ProductInfo(BaseModel):
    """What an answer has to look like."""

    name: str
    price: float
    features: list[str]
    color: str


def main() -> None:
    """Print a line for each text."""
    guided = GuidedDecodingParams(json=ProductInfo)
    questions = [f"Extract product information as JSON from: {text}" for text in TEXTS]
    with LlamaCppInferenceEngine() as engine:
        answers = oumi.infer(questions, engine=engine, max_new_tokens=256, guided_decoding=guided)
    for answer in answers:
        product = answer.parsed(ProductInfo)
        print(f"{product.name}: ${product.price:.2f}, {product.color}")


if __name__ == "__main__":
    main()
