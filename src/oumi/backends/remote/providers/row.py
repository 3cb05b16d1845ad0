"""What a provider's row holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from oumi.core.configs import InferenceEngineType
from oumi.structured.schema.profiles import JSON_SCHEMA, SchemaProfile

UNLISTED = "unlisted"
"""The price list of a provider whose prices genai-prices does not have: costs are unknown."""


class Constraint(StrEnum):
    """In which form a provider takes what an answer has to look like."""

    RESPONSE_FORMAT = "response_format"
    """OpenAI: `response_format` with a JSON schema."""

    VLLM = "structured_outputs"
    """vLLM 0.12 and later: `structured_outputs` with json, regex, choice or grammar."""

    SGLANG = "sglang"
    """SGLang: `response_format` for a schema, and the fields `regex` and `ebnf`."""

    FIREWORKS = "fireworks"
    """Fireworks: `response_format` with a JSON schema or a grammar in GBNF."""

    ANTHROPIC = "output_config"
    """Anthropic: `output_config` with a JSON schema, or a tool that an older model has to call."""

    BEDROCK = "outputConfig"
    """Bedrock: `outputConfig` with a JSON schema, or a tool that a model has to call."""


class AuthMethod(StrEnum):
    """What opens an API for which no key is given."""

    GOOGLE = "google"
    """Tokens of Google's application default credentials, by google-auth, renewed in time."""

    AZURE = "azure"
    """Tokens of Microsoft Entra ID, by azure-identity, renewed in time."""

    AWS = "aws"
    """A signature by AWS credentials, found and renewed by botocore."""


@dataclass(frozen=True)
class BatchLimits:
    """A provider's batch API."""

    family: str = "openai"
    """The module in `batch/api/providers/` that speaks with it."""
    max_requests: int = 50_000
    max_bytes: int = 200_000_000
    price_share: float = 0.5
    """What a token costs, as a share of its ordinary price."""


@dataclass(frozen=True)
class Provider:
    """Facts about an API. Settings are dotted names such as `generation.top_k`."""

    engine: InferenceEngineType
    class_name: str
    summary: str
    supports: frozenset[str]
    dialect: str = "chat"
    """The module in `dialects/` that speaks with it."""
    url: str | None = None
    """Base of the endpoints; `{words}` in it are filled by `url_parts`. None: `api_url` has to be
    given."""
    url_env: str | None = None
    """Environment variable that holds the base."""
    url_env_lacks: str = ""
    """What the official client adds to the base in that variable."""
    url_parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Environment variables for each word in `url`, of which the first that is set counts."""
    version_env: str | None = None
    """Environment variable for an API version that the URL then carries as `api-version`."""
    versioned_path: str = ""
    """Path of the base where there is such a version; `{model}` in it is the model's name."""
    key_env: tuple[str, ...] = ()
    """Environment variables for the key, of which the first that is set counts."""
    bearer_env: str | None = None
    """Environment variable for a bearer token, which goes before these keys."""
    needs_key: bool = False
    key_header: str = "authorization"
    """The header that carries the key: `authorization` as a bearer token, any other bare."""
    proof: AuthMethod | None = None
    """What stands in for a key that is not given."""
    extra: str | None = None
    """The extra of this package that reads such a proof."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of every request, beside the key."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Fields of every request, which `model_kwargs` can override."""
    renames: Mapping[str, str | None] = field(default_factory=dict)
    """Fields of the chat API that have another name here; None: it does not know them."""
    takes_images: bool = True
    lists_models: bool = True
    constraint: Constraint = Constraint.RESPONSE_FORMAT
    rules: SchemaProfile = JSON_SCHEMA
    """What it takes of JSON Schema, where schemas are how it is told of a form."""
    price_list: str | None = None
    """The provider's name in genai-prices, or UNLISTED. None: answers cost nothing."""
    ignores: frozenset[str] = frozenset()
    """Settings that the server decides; named in a warning, not refused."""
    batch: BatchLimits | None = None
    """Its batch API. None: batch jobs are worked off from this machine, request by request."""
