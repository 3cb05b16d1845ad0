"""What a run will cost, and a budget that it keeps. Runs with the model in the package, as if its
tokens had a price.

python examples/price.py            the price before, a pilot, and a run that its budget ends
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from oumi.core.configs import GenerationParams, InferenceConfig, PriceParams
from oumi.core.types import RunEstimate
from oumi.errors import BudgetError
from oumi.inference import LlamaCppInferenceEngine


def show(name: str, estimate: RunEstimate) -> None:
    """Print what is left to ask, and its range in dollars."""
    if estimate.cost_usd is not None:  # as where the price of a model is not known
        low, high = estimate.cost_usd
        print(f"{name}: {estimate.left} rows left, ${low:.4f} to ${high:.4f}")


def main(folder: Path) -> None:
    """Print the price before and after a pilot, and how the run ends."""
    questions = [f"What is {number} plus {number % 7}?" for number in range(100)]
    config = InferenceConfig(
        generation=GenerationParams(max_new_tokens=48),
        price=PriceParams(input_per_million=2.0, output_per_million=8.0),
        output_path=str(folder / "answers.jsonl"),
    )
    with LlamaCppInferenceEngine() as engine:
        show("before", engine.estimate(questions, config))
        show("after a pilot", engine.estimate(questions, config, pilot=20))
        try:
            engine.infer(questions, config.merge(InferenceConfig(max_cost_usd=0.01)))
        except BudgetError as error:
            print(error)
        answers = engine.infer(questions, config.merge(InferenceConfig(max_cost_usd=0.10)))
        print(f"{len(answers)} answers in {config.output_path}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
