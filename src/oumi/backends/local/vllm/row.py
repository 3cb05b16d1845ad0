"""The facts about the VLLM engine. Importing this loads no runtime."""

from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.vllm.settings import SETTINGS, SETTINGS_IN_KWARGS

ENGINE = EngineRow(
    name="VLLM",
    class_name="VLLMInferenceEngine",
    backend="oumi.backends.local.vllm.backend:VLLMBackend",
    summary="vLLM on this machine, for any model that it serves",
    runtime="vllm",
    install="pip install 'oumi-infer[vllm]' (on a CPU: scripts/make_vllm_env.sh)",
    supports=SETTINGS,
    settings_in_kwargs=SETTINGS_IN_KWARGS,
    # Each text is a request of its own to its scheduler, so that more together bring nothing.
    embeddings=EmbeddingSupport(max_texts=32, dimensions_field="dimensions"),
    ignores=frozenset({"model.attn_implementation", "model.device_map"}),
)
