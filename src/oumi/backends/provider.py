"""What there is to know about a provider of an API: one frozen row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from oumi.backends import settings
from oumi.backends.embedding_support import EmbeddingSupport
from oumi.structured.schema.profiles import JSON_SCHEMA, SchemaProfile

UNLISTED = "unlisted"
"""The price list of a provider whose prices genai-prices does not have: costs are unknown."""


class Constraint(StrEnum):
    """How a provider is sent the constraint on an answer (`generation.guided_decoding`)."""

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


class PdfPart(StrEnum):
    """How the chat API of a provider is sent a PDF."""

    FILE = "file"
    """OpenAI: a part of type `file`."""

    IMAGE_URL = "image_url"
    """Google: a part of type `image_url`, whose data URL says what it is."""


class ThinkingForm(StrEnum):
    """How the chat API of a provider is told how much a model thinks."""

    EFFORT = "reasoning_effort"
    """OpenAI: `reasoning_effort`."""

    TEMPLATE = "chat_template_kwargs"
    """Servers of open models: variables of the chat template, beside `reasoning_effort`."""

    TYPE = "thinking"
    """DeepSeek: `thinking` with a type, `enabled` or `disabled`."""

    REASONING = "reasoning"
    """OpenRouter: `reasoning` with an effort, a switch and a number of tokens."""


class PrefillForm(StrEnum):
    """How the chat API of a provider is told to continue a last message of the assistant."""

    FIELDS = "continue_final_message"
    """vLLM and SGLang: fields of the body."""

    PREFIX = "prefix"
    """Mistral: `prefix` in the message, with which the answer then begins."""


class AuthMethod(StrEnum):
    """How a request is authenticated when no key is given."""

    GOOGLE = "google"
    """Tokens of Google's application default credentials, by google-auth, renewed in time."""

    AZURE = "azure"
    """Tokens of Microsoft Entra ID, by azure-identity, renewed in time."""

    AWS = "aws"
    """A signature by AWS credentials, found and renewed by botocore."""


class ResponsesApi(StrEnum):
    """When a provider is asked by OpenAI's Responses API in place of its chat API."""

    NEVER = "never"
    """It has none."""

    IF_SET = "if set"
    """Where `remote_params.api` says so: its chat API serves all its models."""

    IF_NEEDED = "if needed"
    """Also for the models that its chat API refuses."""


@dataclass(frozen=True)
class BatchLimits:
    """What a provider's batch API takes."""

    family: str = "openai"
    """The module in `batch/api/providers/` that speaks with it."""
    max_requests: int = 50_000
    max_bytes: int = 200_000_000
    price_share: float = 0.5
    """The price of a token, as a share of its ordinary price."""
    needs: tuple[str, ...] = ()
    """Fields of `remote_params` without which it cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Facts about one API. Settings are named by their path, such as `generation.top_k`.

    The defaults are cautious: a key is needed, only the settings that all APIs have are sent, and
    costs are unknown.
    """

    name: str
    """The engine's name: what `engine` in a config says. The file is named after it."""
    summary: str
    """What it is, in a few words, as they go on after "GROQ: "."""
    aliases: tuple[str, ...] = ()
    """Further names that `engine` in a config may have."""
    class_name: str = "RemoteInferenceEngine"
    """Its class in `oumi.inference`. Providers of other packages have no class of their own."""

    supports: frozenset[str] = settings.TEXT
    """Settings that it is sent, selected from those of its dialect. All others are refused."""
    ignores: frozenset[str] = settings.LOADING
    """Settings that the server decides; named in a warning, not refused."""
    supports_images: bool = True
    supports_audio: bool = False
    supports_pdf: bool = False
    pdf_part: PdfPart = PdfPart.FILE
    """The part of a message that holds a PDF, in the chat API."""
    supports_developer: bool = False
    """Whether it knows the role `developer`, which others are sent as `system`."""
    supports_cache_control: bool = False
    """Whether parts of the chat API's messages may have `cache_control`."""
    caches_marked: re.Pattern[str] | None = None
    """The models that cache what is marked in a prompt, and nothing else."""
    user_field: str | None = None
    """The field of a request for `remote_params.user_id`, which a dot divides from a field within.
    None: its documentation names none."""
    lists_models: bool = True
    """Whether it has an endpoint that lists its models."""

    embeddings: EmbeddingSupport | None = None
    """Its embeddings API, which is shaped as OpenAI's. None: it has none."""

    dialect: str = "chat"
    """The module in `dialects/` that speaks with it."""
    responses: ResponsesApi = ResponsesApi.NEVER
    """When it is asked by the dialect `responses` instead. What it `supports` and that dialect does
    not send is refused then."""
    field_aliases: Mapping[str, str | None] = field(default_factory=dict)
    """Fields of the chat API that have another name here; None for one that is not sent."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Fields of every request, which `model_kwargs` can override."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of every request, besides the key."""
    thinking: ThinkingForm = ThinkingForm.EFFORT
    prefill: PrefillForm = PrefillForm.FIELDS
    reasoning_field: str | None = None
    """Where the reasoning before a tool call is sent back: a field of the chat API's messages.
    None: its documentation asks for none."""
    reasoning_required: bool = False
    """Whether a message that calls a tool needs the field even where there was no reasoning."""
    constraint: Constraint = Constraint.RESPONSE_FORMAT
    schema_profile: SchemaProfile = JSON_SCHEMA
    """Which JSON schemas it takes."""

    url: str | None = None
    """Base of the endpoints; `{words}` in it are filled by `url_parts`. None: `api_url` has to be
    given."""
    url_env: str | None = None
    """Environment variable that holds the base."""
    url_env_lacks: str = ""
    """What the official client adds to the base in that variable."""
    url_parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Environment variables for each word in `url`; the first that is set counts."""
    native_paths: tuple[str, ...] = ()
    """Endpoints of an API of its own. An address of one of them stands for the server: its chat API
    is asked."""
    version_env: str | None = None
    """Environment variable for an API version, which the URL then carries as `api-version`."""
    versioned_path: str = ""
    """Path of the base when there is such a version; `{model}` in it is the model's name."""

    key_env: tuple[str, ...] = ()
    """Environment variables for the key; the first that is set counts."""
    bearer_env: str | None = None
    """Environment variable for a bearer token, which is preferred to these keys."""
    needs_key: bool = True
    """Whether a request without a key is refused before it is sent."""
    key_header: str = "authorization"
    """The header that carries the key: `authorization` as a bearer token, any other bare."""
    auth_method: AuthMethod | None = None
    """How a request is authenticated when no key is given."""
    extra: str | None = None
    """The extra of this package that this method needs."""

    price_list: str | None = UNLISTED
    """The provider's name in genai-prices, or UNLISTED. None: answers cost nothing."""
    batch: BatchLimits | None = None
    """Its batch API. None: this machine works through a batch job, request by request."""
