"""Ray Data LLM's HTTP request processor, with retries, and with errors taken as rows."""

from __future__ import annotations

from typing import Any

import ray
from ray.data.llm import HttpRequestProcessorConfig, build_processor

from benchmarks.cluster.clients.frame import Answers, Spec, questions, run


def work(spec: Spec) -> Answers:
    """A list in, rows out."""
    ray.init("local", num_cpus=spec.workers + 1, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    config = HttpRequestProcessorConfig(
        url=f"{spec.url}/chat/completions",
        concurrency=spec.workers,
        batch_size=spec.in_flight // spec.workers,
        max_retries=3,
        base_retry_wait_time_in_s=0.1,
    )
    process = build_processor(config, preprocess=_payload, postprocess=_answer)
    for row in process(ray.data.from_items(questions(spec))).take_all():
        yield row["text"], row["answer"]


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    return {"text": row["text"], "payload": {"model": "bench", "messages": row["messages"]}}


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    choices = row["http_response"].get("choices")
    answer = choices[0]["message"]["content"] if choices else None
    return {"text": row["text"], "answer": answer}


if __name__ == "__main__":
    run(f"Ray Data {ray.__version__}", work)
