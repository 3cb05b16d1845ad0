"""Parasail. https://docs.parasail.io/parasail-docs"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, Provider

PROVIDER = Provider(
    name="PARASAIL",
    class_name="ParasailInferenceEngine",
    summary="the Parasail API",
    supports=settings.CHAT | settings.SAMPLER | settings.TEMPLATE_KWARGS,
    # https://docs.parasail.io/parasail-docs; a limit was not found
    embeddings=EmbeddingSupport(max_texts=128),
    url="https://api.parasail.io/v1",
    url_env="PARASAIL_BASE_URL",
    key_env=("PARASAIL_API_KEY",),
    # https://docs.parasail.io/parasail-docs/batch/batch-file-format
    batch=BatchLimits(max_bytes=100_000_000),
)
