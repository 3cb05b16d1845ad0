"""Answers the example questions by OpenAI's batch API, at half the price. Needs OPENAI_API_KEY.

python examples/batch_run.py            submits one batch, waits, and prints the answers
python examples/batch_run.py            after Ctrl-C: finds the same batch again, and goes on
python examples/batch_run.py auto       a batch where that costs less, and for an hour at most
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.inference import OpenAIInferenceEngine

QUESTIONS = Path(__file__).with_name("questions.jsonl")


def main(output: str = "batch_answers.jsonl") -> None:
    """Print the answers, and what they cost by the file beside them."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("oumi").setLevel(logging.INFO)  # which says how far the batch is
    config = InferenceConfig(
        input_path=str(QUESTIONS),
        output_path=output,
        batch="auto" if "auto" in sys.argv else True,
        generation=GenerationParams(max_new_tokens=64),
        remote_params=RemoteParams(batch_completion_window="1h" if "auto" in sys.argv else "24h"),
    )
    with OpenAIInferenceEngine(ModelParams(model_name="gpt-4o-mini")) as engine:
        for conversation in engine.infer(None, config):
            print(conversation.messages[-1].content)


if __name__ == "__main__":
    main()
