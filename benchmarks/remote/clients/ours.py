"""The whole path: a JSONL file in, an output file out, journal and all."""

from __future__ import annotations

from typing import Any

from benchmarks.remote.clients.frame import MODEL, TIMEOUT_S, Spec, run
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.inference import RemoteInferenceEngine


def infer(spec: Spec) -> int:
    """`infer`, as anybody would call it."""
    config = settings(spec)
    with RemoteInferenceEngine(config.model, remote_params=config.remote_params) as engine:
        return len(engine.infer_partial(inference_config=config).failures)


def settings(spec: Spec) -> InferenceConfig:
    """Those of the run."""
    remote = RemoteParams(
        api_url=spec.url,
        num_workers=spec.in_flight,
        requests_per_minute=spec.requests_per_minute,
        use_adaptive_concurrency=spec.adaptive,
        connection_timeout=TIMEOUT_S,
    )
    generation, body = GenerationParams(), {}
    if spec.schema is not None and spec.checked:
        generation = GenerationParams(guided_decoding=GuidedDecodingParams(json=spec.schema))
    elif spec.schema is not None:
        body = {"response_format": _response_format(spec.schema)}
    return InferenceConfig(
        engine="REMOTE",
        model=ModelParams(model_name=MODEL, model_kwargs=body),
        generation=generation,
        remote_params=remote,
        input_path=spec.input_path,
        output_path=spec.output_path,
    )


def _response_format(schema: dict[str, Any]) -> dict[str, Any]:
    """What the engine sends for a schema."""
    form = {"name": "answer", "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": form}


if __name__ == "__main__":
    run(infer)
