"""Servers of one's own."""

from oumi.core.configs import InferenceEngineType
from oumi.inference.remote.providers import settings
from oumi.inference.remote.providers.row import BatchOffer, Constraint, Provider

SERVERS = (
    Provider(
        InferenceEngineType.REMOTE,
        "RemoteInferenceEngine",
        "any server that speaks the OpenAI chat API",
        honours=settings.CHAT | settings.SAMPLER,
        url_env="OPENAI_BASE_URL",
        key_env=("OPENAI_API_KEY",),
        settled=settings.LOADING,
        batch=BatchOffer(),
    ),
    Provider(
        InferenceEngineType.REMOTE_VLLM,
        "RemoteVLLMInferenceEngine",
        "a vLLM server",
        honours=settings.CHAT | settings.SAMPLER | settings.SERVER | {"model.chat_template"},
        constraint=Constraint.VLLM,
        settled=settings.LOADING,
    ),
    Provider(
        InferenceEngineType.SGLANG,
        "SGLangInferenceEngine",
        "an SGLang server",
        honours=settings.CHAT | settings.SAMPLER | settings.SERVER,
        constraint=Constraint.SGLANG,
        settled=settings.LOADING,
    ),
    # https://docs.ollama.com/api/openai-compatibility
    Provider(
        InferenceEngineType.OLLAMA,
        "OllamaInferenceEngine",
        "an Ollama server",
        honours=settings.TEXT
        | settings.PENALTIES
        | settings.SEED
        | settings.LOGPROBS
        | settings.JSON_SCHEMA,
        url="http://localhost:11434/v1",
        url_env="OLLAMA_HOST",
        key_env=("OLLAMA_API_KEY",),
        settled=settings.LOADING,
    ),
)
