"""What each provider accepts of JSON Schema: one frozen row for each, data and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from oumi.core.json_schema.keywords import NUMBER_KEYWORDS, STRING_KEYWORDS


class SchemaMode(StrEnum):
    """How a provider is given a schema."""

    SCHEMA = "schema"
    """In a field of the request made for it."""

    TOOL = "tool"
    """As the parameters of a tool that the model has to call."""

    JSON = "json"
    """In the prompt, and the provider is asked for JSON of any shape (JSON mode)."""

    PROMPT = "prompt"
    """In the prompt only."""


class References(StrEnum):
    """Which `$ref` a provider accepts."""

    ALL = "all"

    FINITE = "finite"
    """Those that are not recursive."""

    NONE = "none"
    """None; what they point to is written out in their place."""


@dataclass(frozen=True)
class SchemaProfile:
    """What one provider accepts of JSON Schema.

    Keywords that it does not accept are written into the description for the model, and enforced
    by validating the answer here. A limit of None means that there is none.
    """

    name: str
    source: str
    """The page on which the provider documents it."""
    mode: SchemaMode = SchemaMode.SCHEMA
    fallback: SchemaMode = SchemaMode.SCHEMA
    """The mode for a schema that cannot be rewritten for this profile."""
    has_strict: bool = True
    """Whether requests have a switch for strict mode, in which the provider enforces the schema."""
    rewrites: bool = True
    """Whether schemas are rewritten for the profile; otherwise they are sent unchanged."""
    in_prompt: bool = False
    """Whether the prompt has to contain the schema too."""
    object_root: bool = False
    """Whether the schema as a whole has to be of type object."""
    closed: bool = False
    """Whether objects need `additionalProperties: false`."""
    all_required: bool = False
    """Whether all fields of an object have to be required."""
    references: References = References.ALL
    type_lists: bool = True
    """Whether `type` may be a list."""
    keywords: frozenset[str] = (
        STRING_KEYWORDS | NUMBER_KEYWORDS | frozenset({"const", "minItems", "maxItems"})
    )
    """The accepted keywords among those that restrict a value."""
    formats: frozenset[str] | None = None
    """The accepted values of `format`; None for all."""
    max_min_items: int | None = None
    """The largest value of `minItems`."""
    max_properties: int | None = None
    """Fields of all objects together."""
    max_optional: int | None = None
    """Fields that are not required, of all objects together."""
    max_unions: int | None = None
    """Schemas with `anyOf` or with a list of types."""
    max_alternatives: int | None = None
    """Branches of one `anyOf`."""
    max_values: int | None = None
    """Values of all `enum` together."""
    max_characters: int | None = None
    """Characters of all names and values together."""
    max_levels: int | None = None
    """Objects and arrays nested within each other."""


_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)

OPENAI = SchemaProfile(
    "OpenAI, strict",
    "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas",
    object_root=True,
    closed=True,
    all_required=True,
    keywords=NUMBER_KEYWORDS | {"const", "pattern", "format", "minItems", "maxItems"},
    formats=_FORMATS,
    max_properties=5_000,
    max_values=1_000,
    max_characters=120_000,
    max_levels=10,
)

GROQ = replace(
    OPENAI,
    name="Groq, strict",
    source="https://console.groq.com/docs/structured-outputs",
    keywords=frozenset({"const"}),
)

CEREBRAS = SchemaProfile(
    "Cerebras, strict",
    "https://inference-docs.cerebras.ai/capabilities/structured-outputs",
    object_root=True,
    closed=True,
    all_required=True,
    references=References.FINITE,
    type_lists=False,
    keywords=NUMBER_KEYWORDS | {"const"},
    max_properties=500,
    max_values=500,
    max_characters=5_000,
    max_alternatives=5,
    max_levels=10,
)

MISTRAL = SchemaProfile(
    "Mistral, strict",
    "https://docs.mistral.ai/capabilities/structured-output/custom_structured_output/",
    object_root=True,
    closed=True,
)

FIREWORKS = SchemaProfile(
    "Fireworks",
    "https://docs.fireworks.ai/structured-responses/structured-response-formatting",
    has_strict=False,
    in_prompt=True,
    closed=True,
    keywords=frozenset({"const"}),
)

GEMINI = SchemaProfile(
    "Gemini",
    "https://ai.google.dev/gemini-api/docs/structured-output#json_schema_support",
    fallback=SchemaMode.JSON,
    has_strict=False,
    references=References.NONE,
    keywords=frozenset({"format", "minimum", "maximum", "minItems", "maxItems", "prefixItems"}),
    formats=frozenset({"date-time", "date", "time"}),
)

ANTHROPIC = SchemaProfile(
    "Anthropic",
    "https://platform.claude.com/docs/en/build-with-claude/structured-outputs",
    fallback=SchemaMode.TOOL,
    has_strict=False,
    object_root=True,
    closed=True,
    references=References.FINITE,
    keywords=frozenset({"const", "pattern", "format", "minItems"}),
    formats=_FORMATS | {"uri"},
    max_min_items=1,
    max_optional=24,
    max_unions=16,
)

ANTHROPIC_TOOL = replace(
    ANTHROPIC,
    name="Anthropic, older models",
    source="https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use",
    mode=SchemaMode.TOOL,
    rewrites=False,
)

XAI = SchemaProfile(
    "xAI",
    "https://docs.x.ai/docs/guides/structured-outputs#supported-schemas",
    object_root=True,
    closed=True,
    keywords=NUMBER_KEYWORDS | {"const"},
)

JSON_SCHEMA = SchemaProfile(
    "any server that takes JSON schemas",
    "https://platform.openai.com/docs/api-reference/chat/create",
    rewrites=False,
)

JSON_OBJECT = SchemaProfile(
    "any server that can be asked for JSON",
    "https://platform.openai.com/docs/guides/structured-outputs#json-mode",
    mode=SchemaMode.JSON,
)

NONE = SchemaProfile("any server", "https://json-schema.org", mode=SchemaMode.PROMPT)

PROFILES = (
    *(OPENAI, GROQ, CEREBRAS, MISTRAL, XAI, FIREWORKS, GEMINI, ANTHROPIC),
    *(ANTHROPIC_TOOL, JSON_SCHEMA, JSON_OBJECT, NONE),
)
