"""The facts about the LLAMACPP engine. Importing this loads no runtime."""

from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.llama_cpp.settings import SETTINGS, SETTINGS_IN_KWARGS

ENGINE = EngineRow(
    name="LLAMACPP",
    class_name="LlamaCppInferenceEngine",
    backend="oumi.backends.local.llama_cpp.backend:LlamaCppBackend",
    summary="llama.cpp on this machine, for GGUF files",
    runtime="xllamacpp",
    install="pip install oumi-infer",
    supports=SETTINGS,
    ignores=frozenset(
        {
            "model.attn_implementation",
            "model.tokenizer_name",
            "model.torch_dtype",
            "model.trust_remote_code",
        }
    ),
    # Each text is a task of its own in a slot, so that more in one request bring nothing.
    embeddings=EmbeddingSupport(max_texts=32),
    settings_in_kwargs=SETTINGS_IN_KWARGS,
)
