"""OpenAI. https://platform.openai.com/docs/api-reference/chat/create"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import BatchLimits, Provider, ResponsesApi
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="OPENAI",
    class_name="OpenAIInferenceEngine",
    summary="the OpenAI API",
    supports=settings.CHAT | settings.EFFORT | settings.RAW_PROMPT,
    # https://platform.openai.com/docs/api-reference/responses/create
    responses=ResponsesApi.IF_NEEDED,
    # https://platform.openai.com/docs/guides/audio and /docs/guides/pdf-files
    supports_audio=True,
    supports_pdf=True,
    supports_developer=True,
    user_field="user",
    # "Create embeddings": https://platform.openai.com/docs/api-reference/embeddings/create
    embeddings=EmbeddingSupport(max_texts=2048, dimensions_field="dimensions", sends_base64=True),
    url="https://api.openai.com/v1",
    url_env="OPENAI_BASE_URL",
    key_env=("OPENAI_API_KEY",),
    price_list="openai",
    schema_profile=profiles.OPENAI,
    batch=BatchLimits(),  # https://platform.openai.com/docs/guides/batch
)
