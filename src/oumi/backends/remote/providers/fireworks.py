"""Fireworks. https://docs.fireworks.ai/api-reference/post-chatcompletions"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, Constraint, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="FIREWORKS",
    class_name="FireworksInferenceEngine",
    summary="the Fireworks API",
    supports=settings.CHAT
    | settings.GRAMMAR
    | settings.TOP_K
    | settings.MIN_P
    | settings.EFFORT
    | settings.RAW_PROMPT,
    user_field="user",
    constraint=Constraint.FIREWORKS,
    # "Create embeddings":
    # https://docs.fireworks.ai/api-reference/creates-an-embedding-vector-representing-the-input-text
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions"),
    url="https://api.fireworks.ai/inference/v1",
    url_env="FIREWORKS_BASE_URL",
    key_env=("FIREWORKS_API_KEY",),
    # https://docs.fireworks.ai/guides/reasoning#interleaved-thinking
    reasoning_field="reasoning_content",
    price_list="fireworks",
    schema_profile=profiles.FIREWORKS,
    # https://docs.fireworks.ai/guides/batch-inference; a file is uploaded at once up to 150 MB:
    # https://docs.fireworks.ai/api-reference/upload-dataset-files
    batch=BatchLimits("fireworks", max_requests=1_000_000, max_bytes=149_000_000),
)
