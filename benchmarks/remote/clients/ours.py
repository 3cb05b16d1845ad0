"""The whole path: a JSONL file in, an output file out, journal and all."""

from __future__ import annotations

from benchmarks.remote.clients.frame import MODEL, TIMEOUT_S, Spec, run
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine


def infer(spec: Spec) -> int:
    """`infer`, as anybody would call it."""
    remote = RemoteParams(
        api_url=spec.url,
        num_workers=spec.in_flight,
        requests_per_minute=spec.requests_per_minute,
        use_adaptive_concurrency=spec.adaptive,
        connection_timeout=TIMEOUT_S,
    )
    files = InferenceConfig(input_path=spec.input_path, output_path=spec.output_path)
    with RemoteInferenceEngine(ModelParams(model_name=MODEL), remote_params=remote) as engine:
        return len(engine.infer_partial(inference_config=files).failures)


if __name__ == "__main__":
    run(infer)
