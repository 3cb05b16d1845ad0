"""`infer` on a cluster."""

from __future__ import annotations

from importlib.metadata import version

import ray

from benchmarks.cluster.clients.frame import Answers, Spec, questions, run
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.distributed import RayCluster


def work(spec: Spec) -> Answers:
    """A file in, a file out."""
    ray.init("local", num_cpus=spec.workers, log_to_driver=False, logging_level="error")
    config = InferenceConfig(
        engine="REMOTE",
        model=ModelParams(model_name="bench"),
        remote_params=RemoteParams(
            api_url=spec.url,
            num_workers=spec.in_flight,
            use_adaptive_concurrency=False,
            max_retries=3,
        ),
        input_path=spec.input_path,
        output_path=spec.output_path,
    )
    with RayCluster(config, workers=spec.workers) as engine:
        result = engine.infer_partial(inference_config=config)
    answers = dict(zip(result.rows, result.conversations, strict=True))
    for number, row in enumerate(questions(spec)):
        done = answers.get(number)
        yield row["text"], None if done is None else str(done.messages[-1].content)


if __name__ == "__main__":
    run(f"oumi-infer {version('oumi-infer')}", work)
