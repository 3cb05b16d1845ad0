"""Ollama's server. https://docs.ollama.com/api/openai-compatibility"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import Provider

PROVIDER = Provider(
    name="OLLAMA",
    class_name="OllamaInferenceEngine",
    summary="an Ollama server",
    supports=settings.TEXT
    | settings.PENALTIES
    | settings.SEED
    | settings.LOGPROBS
    | settings.JSON_SCHEMA,
    # https://github.com/ollama/ollama/blob/main/docs/api.md
    native_paths=("/api/chat", "/api/generate"),
    # https://docs.ollama.com/api/openai-compatibility#v1-embeddings
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions"),
    url="http://localhost:11434/v1",
    url_env="OLLAMA_HOST",
    key_env=("OLLAMA_API_KEY",),
    needs_key=False,
    price_list=None,
)
