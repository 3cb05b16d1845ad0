"""Mistral. https://docs.mistral.ai/api/endpoint/chat"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, PrefillForm, Provider
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="MISTRAL",
    class_name="MistralInferenceEngine",
    summary="the Mistral API",
    supports=settings.TEXT
    | settings.TOOLS
    | settings.PENALTIES
    | settings.SEED
    | settings.JSON_SCHEMA
    | settings.PREFILL,
    prefill=PrefillForm.PREFIX,
    # Its streams report the usage without being asked to.
    field_aliases={"seed": "random_seed", "stream_options": None},
    # https://docs.mistral.ai/api/endpoint/embeddings; a limit was not found
    embeddings=EmbeddingSupport(max_texts=128, dimensions_field="output_dimension"),
    url="https://api.mistral.ai/v1",
    url_env="MISTRAL_BASE_URL",
    key_env=("MISTRAL_API_KEY",),
    price_list="mistral",
    schema_profile=profiles.MISTRAL,
    # https://docs.mistral.ai/resources/known-limitations#batch-processing
    batch=BatchLimits("mistral", max_requests=100_000, max_bytes=500_000_000),
)
