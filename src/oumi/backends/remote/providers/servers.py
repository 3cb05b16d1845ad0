"""Servers of one's own."""

from oumi.backends.remote.providers import settings
from oumi.backends.remote.providers.row import BatchLimits, Constraint, Provider
from oumi.core.configs import InferenceEngineType

SERVERS = (
    Provider(
        InferenceEngineType.REMOTE,
        "RemoteInferenceEngine",
        "any server that speaks the OpenAI chat API",
        supports=settings.CHAT | settings.SAMPLER,
        url_env="OPENAI_BASE_URL",
        key_env=("OPENAI_API_KEY",),
        ignores=settings.LOADING,
        batch=BatchLimits(),
    ),
    Provider(
        InferenceEngineType.REMOTE_VLLM,
        "RemoteVLLMInferenceEngine",
        "a vLLM server",
        supports=settings.CHAT | settings.SAMPLER | settings.SERVER | {"model.chat_template"},
        constraint=Constraint.VLLM,
        ignores=settings.LOADING,
    ),
    Provider(
        InferenceEngineType.SGLANG,
        "SGLangInferenceEngine",
        "an SGLang server",
        supports=settings.CHAT | settings.SAMPLER | settings.SERVER,
        constraint=Constraint.SGLANG,
        ignores=settings.LOADING,
    ),
    # https://docs.ollama.com/api/openai-compatibility
    Provider(
        InferenceEngineType.OLLAMA,
        "OllamaInferenceEngine",
        "an Ollama server",
        supports=settings.TEXT
        | settings.PENALTIES
        | settings.SEED
        | settings.LOGPROBS
        | settings.JSON_SCHEMA,
        url="http://localhost:11434/v1",
        url_env="OLLAMA_HOST",
        key_env=("OLLAMA_API_KEY",),
        ignores=settings.LOADING,
    ),
)
