"""Together. https://docs.together.ai/reference/chat-completions"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, Provider

PROVIDER = Provider(
    name="TOGETHER",
    class_name="TogetherInferenceEngine",
    summary="the Together API",
    supports=settings.TEXT
    | settings.PENALTIES
    | settings.SEED
    | settings.LOGIT_BIAS
    | settings.JSON_SCHEMA
    | settings.TOP_K
    | settings.MIN_P
    | settings.TEMPLATE_KWARGS
    | {"generation.tool_choice"}
    | settings.EFFORT
    | settings.RAW_PROMPT,
    # https://docs.together.ai/docs/inference/embeddings/overview names no limit
    embeddings=EmbeddingSupport(max_texts=128),
    url="https://api.together.xyz/v1",
    url_env="TOGETHER_BASE_URL",
    key_env=("TOGETHER_API_KEY",),
    # A field of an assistant's message in its own client:
    # https://github.com/togethercomputer/together-py
    reasoning_field="reasoning",
    price_list="together",
    # https://docs.together.ai/docs/inference/batch/overview
    batch=BatchLimits("together", max_bytes=100_000_000),
)
