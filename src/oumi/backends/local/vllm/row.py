"""The facts about the VLLM engine. Importing this loads no runtime."""

from oumi.backends.engine_row import LOADING_KWARGS, EngineRow
from oumi.backends.local.vllm.settings import SETTINGS

ENGINE = EngineRow(
    name="VLLM",
    class_name="VLLMInferenceEngine",
    backend="oumi.backends.local.vllm.backend:VLLMBackend",
    summary="vLLM on this machine, for any model that it serves",
    runtime="vllm",
    install="pip install 'oumi-infer[vllm]' (on a CPU: scripts/make_vllm_env.sh)",
    supports=SETTINGS,
    # Names of vLLM's own arguments.
    settings_in_kwargs=LOADING_KWARGS
    | {"dtype": "torch_dtype", "max_model_len": "model_max_length", "tokenizer": "tokenizer_name"},
    ignores=frozenset({"model.attn_implementation", "model.device_map"}),
)
