"""Companies that serve open models, and routers before them."""

from oumi.backends.remote.providers import settings
from oumi.backends.remote.providers.row import UNLISTED, BatchLimits, Constraint, Provider
from oumi.core.configs import InferenceEngineType
from oumi.structured.schema import profiles

HOSTS = (
    # https://docs.together.ai/reference/chat-completions
    Provider(
        InferenceEngineType.TOGETHER,
        "TogetherInferenceEngine",
        "the Together API",
        supports=settings.TEXT
        | settings.PENALTIES
        | settings.SEED
        | settings.LOGIT_BIAS
        | settings.JSON_SCHEMA
        | settings.TOP_K
        | settings.MIN_P
        | settings.TEMPLATE_KWARGS
        | {"generation.tool_choice"},
        url="https://api.together.xyz/v1",
        url_env="TOGETHER_BASE_URL",
        key_env=("TOGETHER_API_KEY",),
        needs_key=True,
        price_list="together",
        ignores=settings.LOADING,
        # https://docs.together.ai/docs/inference/batch/overview
        batch=BatchLimits("together", max_bytes=100_000_000),
    ),
    # https://docs.fireworks.ai/api-reference/post-chatcompletions
    Provider(
        InferenceEngineType.FIREWORKS,
        "FireworksInferenceEngine",
        "the Fireworks API",
        supports=settings.CHAT | settings.GRAMMAR | settings.TOP_K | settings.MIN_P,
        constraint=Constraint.FIREWORKS,
        url="https://api.fireworks.ai/inference/v1",
        url_env="FIREWORKS_BASE_URL",
        key_env=("FIREWORKS_API_KEY",),
        needs_key=True,
        price_list="fireworks",
        rules=profiles.FIREWORKS,
        ignores=settings.LOADING,
        # https://docs.fireworks.ai/guides/batch-inference; a file is uploaded at once up to 150 MB:
        # https://docs.fireworks.ai/api-reference/upload-dataset-files
        batch=BatchLimits("fireworks", max_requests=1_000_000, max_bytes=149_000_000),
    ),
    # https://docs.parasail.io/parasail-docs
    Provider(
        InferenceEngineType.PARASAIL,
        "ParasailInferenceEngine",
        "the Parasail API",
        supports=settings.CHAT | settings.SAMPLER | settings.TEMPLATE_KWARGS,
        url="https://api.parasail.io/v1",
        url_env="PARASAIL_BASE_URL",
        key_env=("PARASAIL_API_KEY",),
        needs_key=True,
        price_list=UNLISTED,
        ignores=settings.LOADING,
        # https://docs.parasail.io/parasail-docs/batch/batch-file-format
        batch=BatchLimits(max_bytes=100_000_000),
    ),
    # https://docs.sambanova.ai/docs/api-reference/chat/create-chat-based-completion
    Provider(
        InferenceEngineType.SAMBANOVA,
        "SambanovaInferenceEngine",
        "the SambaNova API",
        supports=settings.TEXT | settings.TOOLS | settings.JSON_SCHEMA | settings.TOP_K,
        url="https://api.sambanova.ai/v1",
        url_env="SAMBANOVA_BASE_URL",
        key_env=("SAMBANOVA_API_KEY",),
        needs_key=True,
        price_list=UNLISTED,
        ignores=settings.LOADING,
    ),
    # https://inference-docs.cerebras.ai/api-reference/chat-completions
    Provider(
        InferenceEngineType.CEREBRAS,
        "CerebrasInferenceEngine",
        "the Cerebras API",
        supports=settings.CHAT - settings.PENALTIES - settings.LOGIT_BIAS,
        url="https://api.cerebras.ai/v1",
        url_env="CEREBRAS_BASE_URL",
        key_env=("CEREBRAS_API_KEY",),
        needs_key=True,
        price_list="cerebras",
        rules=profiles.CEREBRAS,
        ignores=settings.LOADING,
    ),
    # https://console.groq.com/docs/api-reference#chat-create
    Provider(
        InferenceEngineType.GROQ,
        "GroqInferenceEngine",
        "the Groq API",
        supports=settings.CHAT - settings.PENALTIES - settings.LOGIT_BIAS - settings.LOGPROBS,
        url="https://api.groq.com/openai/v1",
        url_env="GROQ_BASE_URL",
        key_env=("GROQ_API_KEY",),
        needs_key=True,
        price_list="groq",
        rules=profiles.GROQ,
        ignores=settings.LOADING,
        # https://console.groq.com/docs/batch
        batch=BatchLimits(),
    ),
    # https://docs.lambda.ai/public-cloud/lambda-inference-api
    Provider(
        InferenceEngineType.LAMBDA,
        "LambdaInferenceEngine",
        "the Lambda API",
        supports=settings.CHAT,
        url="https://api.lambda.ai/v1",
        url_env="LAMBDA_BASE_URL",
        key_env=("LAMBDA_API_KEY",),
        needs_key=True,
        price_list=UNLISTED,
        ignores=settings.LOADING,
    ),
    # https://openrouter.ai/docs/api-reference/parameters
    Provider(
        InferenceEngineType.OPENROUTER,
        "OpenRouterInferenceEngine",
        "OpenRouter, before the APIs of many",
        supports=settings.CHAT | settings.TOP_K | settings.MIN_P,
        url="https://openrouter.ai/api/v1",
        url_env="OPENROUTER_BASE_URL",
        key_env=("OPENROUTER_API_KEY",),
        needs_key=True,
        # Without it, OpenRouter drops what the provider behind it does not take:
        # https://openrouter.ai/docs/features/provider-routing#requiring-providers-to-support-all-parameters
        body={"provider": {"require_parameters": True}},
        price_list="openrouter",
        rules=profiles.OPENAI,
        ignores=settings.LOADING,
    ),
    # https://huggingface.co/docs/inference-providers/tasks/chat-completion
    Provider(
        InferenceEngineType.HUGGING_FACE_ROUTER,
        "HuggingFaceInferenceEngine",
        "Hugging Face's router, before the APIs of many",
        supports=settings.CHAT - settings.LOGIT_BIAS - {"generation.parallel_tool_calls"},
        url="https://router.huggingface.co/v1",
        url_env="HF_BASE_URL",
        key_env=("HF_TOKEN",),
        needs_key=True,
        price_list=UNLISTED,
        ignores=settings.LOADING,
    ),
)
