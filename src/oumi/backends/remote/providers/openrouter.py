"""OpenRouter. https://openrouter.ai/docs/api-reference/parameters"""

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import Provider, ResponsesApi, ThinkingForm
from oumi.structured.schema import profiles

PROVIDER = Provider(
    name="OPENROUTER",
    class_name="OpenRouterInferenceEngine",
    summary="OpenRouter, before the APIs of many",
    thinking=ThinkingForm.REASONING,
    supports=settings.CHAT
    | settings.TOP_K
    | settings.MIN_P
    | settings.EFFORT
    | settings.ENABLE_THINKING
    | settings.MAX_THINKING
    | settings.RAW_PROMPT,
    # https://openrouter.ai/docs/api-reference/responses/overview
    responses=ResponsesApi.IF_SET,
    # https://openrouter.ai/docs/features/multimodal/audio and /docs/features/multimodal/pdfs
    supports_audio=True,
    supports_pdf=True,
    # https://openrouter.ai/docs/api-reference/chat-completion
    supports_developer=True,
    # https://openrouter.ai/docs/features/prompt-caching
    supports_cache_control=True,
    user_field="user",
    # https://openrouter.ai/docs/api-reference/embeddings names no limit
    embeddings=EmbeddingSupport(max_texts=128, dimensions_field="dimensions"),
    url="https://openrouter.ai/api/v1",
    url_env="OPENROUTER_BASE_URL",
    key_env=("OPENROUTER_API_KEY",),
    # Without it, OpenRouter drops what the provider behind it does not take:
    # https://openrouter.ai/docs/features/provider-routing#requiring-providers-to-support-all-parameters
    body={"provider": {"require_parameters": True}},
    # https://openrouter.ai/docs/guides/best-practices/reasoning-tokens#preserving-reasoning
    reasoning_field="reasoning_details",
    price_list="openrouter",
    schema_profile=profiles.OPENAI,
)
