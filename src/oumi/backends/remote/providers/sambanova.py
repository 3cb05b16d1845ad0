"""SambaNova.

https://docs.sambanova.ai/docs/api-reference/chat/create-chat-based-completion
"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import Provider

PROVIDER = Provider(
    name="SAMBANOVA",
    class_name="SambanovaInferenceEngine",
    summary="the SambaNova API",
    supports=settings.TEXT | settings.TOOLS | settings.JSON_SCHEMA | settings.TOP_K,
    # https://docs.sambanova.ai/docs/api-reference/embeddings/create-embeddings names no limit
    embeddings=EmbeddingSupport(max_texts=32),
    url="https://api.sambanova.ai/v1",
    url_env="SAMBANOVA_BASE_URL",
    key_env=("SAMBANOVA_API_KEY",),
)
