"""Companies that serve models of their own."""

from oumi.backends.remote.providers import settings
from oumi.backends.remote.providers.row import BatchLimits, Constraint, Provider
from oumi.core.configs import InferenceEngineType
from oumi.structured.schema import profiles

MAKERS = (
    # https://platform.openai.com/docs/api-reference/chat/create
    Provider(
        InferenceEngineType.OPENAI,
        "OpenAIInferenceEngine",
        "the OpenAI API",
        supports=settings.CHAT,
        url="https://api.openai.com/v1",
        url_env="OPENAI_BASE_URL",
        key_env=("OPENAI_API_KEY",),
        needs_key=True,
        price_list="openai",
        rules=profiles.OPENAI,
        ignores=settings.LOADING,
        # https://platform.openai.com/docs/guides/batch
        batch=BatchLimits(),
    ),
    # https://platform.claude.com/docs/en/api/messages/create
    Provider(
        InferenceEngineType.ANTHROPIC,
        "AnthropicInferenceEngine",
        "the Anthropic API",
        supports=settings.TEXT | settings.TOOLS | settings.TOP_K | settings.JSON_SCHEMA,
        dialect="anthropic",
        url="https://api.anthropic.com/v1",
        url_env="ANTHROPIC_BASE_URL",
        url_env_lacks="/v1",
        key_env=("ANTHROPIC_API_KEY",),
        needs_key=True,
        key_header="x-api-key",
        constraint=Constraint.ANTHROPIC,
        price_list="anthropic",
        rules=profiles.ANTHROPIC,
        ignores=settings.LOADING,
        # https://platform.claude.com/docs/en/build-with-claude/batch-processing
        batch=BatchLimits("anthropic", max_requests=100_000, max_bytes=255_000_000),
    ),
    # https://ai.google.dev/gemini-api/docs/openai; a field that is not known there is refused
    Provider(
        InferenceEngineType.GOOGLE_GEMINI,
        "GoogleGeminiInferenceEngine",
        "Google's Gemini API",
        supports=settings.TEXT | settings.JSON_SCHEMA | {"generation.tool_choice"},
        url="https://generativelanguage.googleapis.com/v1beta/openai",
        url_env="GOOGLE_GEMINI_BASE_URL",
        key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        needs_key=True,
        price_list="google",
        rules=profiles.GEMINI,
        ignores=settings.LOADING,
    ),
    # https://api-docs.deepseek.com/api/create-chat-completion; it has no schemas, only JSON,
    # so that they stand in the prompt
    Provider(
        InferenceEngineType.DEEPSEEK,
        "DeepSeekInferenceEngine",
        "the DeepSeek API",
        supports=settings.TEXT
        | settings.PENALTIES
        | settings.LOGPROBS
        | settings.JSON_SCHEMA
        | {"generation.tool_choice"},
        url="https://api.deepseek.com/v1",
        url_env="DEEPSEEK_BASE_URL",
        key_env=("DEEPSEEK_API_KEY",),
        needs_key=True,
        takes_images=False,
        price_list="deepseek",
        rules=profiles.JSON_OBJECT,
        ignores=settings.LOADING,
    ),
    # https://docs.mistral.ai/api/endpoint/chat
    Provider(
        InferenceEngineType.MISTRAL,
        "MistralInferenceEngine",
        "the Mistral API",
        supports=settings.TEXT
        | settings.TOOLS
        | settings.PENALTIES
        | settings.SEED
        | settings.JSON_SCHEMA,
        renames={"seed": "random_seed", "stream_options": None},  # it tells its usage unasked
        url="https://api.mistral.ai/v1",
        url_env="MISTRAL_BASE_URL",
        key_env=("MISTRAL_API_KEY",),
        needs_key=True,
        price_list="mistral",
        rules=profiles.MISTRAL,
        ignores=settings.LOADING,
        # https://docs.mistral.ai/resources/known-limitations#batch-processing
        batch=BatchLimits("mistral", max_requests=100_000, max_bytes=500_000_000),
    ),
    # https://docs.x.ai/docs/api-reference#chat-completions
    Provider(
        InferenceEngineType.XAI,
        "XAIInferenceEngine",
        "the xAI API",
        supports=settings.CHAT - settings.LOGIT_BIAS,
        url="https://api.x.ai/v1",
        url_env="XAI_BASE_URL",
        key_env=("XAI_API_KEY",),
        needs_key=True,
        price_list="x-ai",
        rules=profiles.XAI,
        ignores=settings.LOADING,
    ),
)
