"""The APIs: one frozen row each. What differs between them stands here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oumi.core.configs import InferenceEngineType


class Constraint(StrEnum):
    """In which form a provider takes what an answer has to look like."""

    RESPONSE_FORMAT = "response_format"
    """OpenAI: `response_format` with a JSON schema."""

    VLLM = "structured_outputs"
    """vLLM 0.12 and later: `structured_outputs` with json, regex, choice or grammar."""

    SGLANG = "sglang"
    """SGLang: `response_format` for a schema, and the fields `regex` and `ebnf`."""


@dataclass(frozen=True)
class Provider:
    """Facts about an API. Settings are dotted names such as `generation.top_k`."""

    engine: InferenceEngineType
    class_name: str
    summary: str
    honours: frozenset[str]
    dialect: str = "chat"
    """The module in `dialects/` that speaks with it."""
    url: str | None = None
    """Base of the endpoints. None: `api_url` has to be given."""
    url_env: str | None = None
    """Environment variable that holds the base."""
    key_env: str | None = None
    """Environment variable that holds the key."""
    needs_key: bool = False
    key_header: str = "authorization"
    """The header that carries the key: `authorization` as a bearer token, any other bare."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of every request, beside the key."""
    constraint: Constraint = Constraint.RESPONSE_FORMAT
    price_list: str | None = None
    """The provider's name in genai-prices. None: answers cost nothing."""
    settled: frozenset[str] = frozenset()
    """Settings that the server decides; named in a warning, not refused."""


_CHAT = frozenset(
    {
        "model.model_name",
        "model.model_kwargs",
        "generation.max_new_tokens",
        "generation.temperature",
        "generation.top_p",
        "generation.frequency_penalty",
        "generation.presence_penalty",
        "generation.seed",
        "generation.stop_strings",
        "generation.logit_bias",
        "generation.logprobs",
        "generation.tool_choice",
        "generation.parallel_tool_calls",
        "generation.guided_decoding.json",
    }
)
_SAMPLER = frozenset({"generation.top_k", "generation.min_p", "generation.stop_token_ids"})
_SERVER = frozenset(
    {
        "model.adapter_model",
        "model.chat_template",
        "model.chat_template_kwargs",
        "generation.skip_special_tokens",
        "generation.guided_decoding.regex",
        "generation.guided_decoding.choice",
        "generation.guided_decoding.grammar",
    }
)
_LOADING = frozenset(
    {
        "model.attn_implementation",
        "model.device_map",
        "model.model_max_length",
        "model.tokenizer_name",
        "model.torch_dtype",
        "model.trust_remote_code",
        "generation.batch_size",
    }
)

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        InferenceEngineType.OPENAI,
        "OpenAIInferenceEngine",
        "the OpenAI API",
        honours=_CHAT,
        url="https://api.openai.com/v1",
        url_env="OPENAI_BASE_URL",
        key_env="OPENAI_API_KEY",
        needs_key=True,
        price_list="openai",
        settled=_LOADING,
    ),
    Provider(
        InferenceEngineType.REMOTE,
        "RemoteInferenceEngine",
        "any server that speaks the OpenAI chat API",
        honours=_CHAT | _SAMPLER,
        url_env="OPENAI_BASE_URL",
        key_env="OPENAI_API_KEY",
        settled=_LOADING,
    ),
    Provider(
        InferenceEngineType.REMOTE_VLLM,
        "RemoteVLLMInferenceEngine",
        "a vLLM server",
        honours=_CHAT | _SAMPLER | _SERVER,
        constraint=Constraint.VLLM,
        settled=_LOADING,
    ),
    Provider(
        InferenceEngineType.SGLANG,
        "SGLangInferenceEngine",
        "an SGLang server",
        honours=(_CHAT | _SAMPLER | _SERVER) - {"model.chat_template"},
        constraint=Constraint.SGLANG,
        settled=_LOADING,
    ),
)

BY_ENGINE: dict[InferenceEngineType, Provider] = {row.engine: row for row in PROVIDERS}
