"""Answers the example questions in the background. Runs with the model in the package.

python examples/batch_job.py            submits the job, and ends at once
python examples/batch_job.py            again: says how far it is, or prints the answers
"""

from __future__ import annotations

import logging
from pathlib import Path

from oumi.core.configs import GenerationParams, InferenceConfig, RemoteParams
from oumi.inference import LlamaCppInferenceEngine

QUESTIONS = Path(__file__).with_name("questions.jsonl")


def main() -> None:
    """Print how far the job is, and its answers once there are any."""
    # Submitting is safe to repeat: the same questions are the same job, of which it warns.
    logging.getLogger("oumi").setLevel(logging.ERROR)
    config = InferenceConfig(
        input_path=str(QUESTIONS),
        generation=GenerationParams(max_new_tokens=64),
        remote_params=RemoteParams(batch_completion_window="1h"),
    )
    with LlamaCppInferenceEngine() as engine:
        batch_id = engine.infer_batch(None, config)
        info = engine.get_batch_status(batch_id)
        print(f"{batch_id}: {info.status}, {info.completed_requests}/{info.total_requests}")
        for row, conversation in engine.get_batch_results_partial(batch_id).successful:
            print(f"{row}: {conversation.messages[-1].content}")


if __name__ == "__main__":
    main()
