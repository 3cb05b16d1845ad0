"""What each provider takes of JSON Schema: one frozen row each, data and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Form(StrEnum):
    """In which form a schema goes to a provider."""

    SCHEMA = "schema"
    """In a field of its own."""

    TOOL = "tool"
    """As what a tool takes that the model has to call."""

    JSON = "json"
    """The provider is asked for JSON of any form; the schema stands in the prompt."""

    PROMPT = "prompt"
    """The schema stands in the prompt."""


class References(StrEnum):
    """Which `$ref` a provider takes."""

    ALL = "all"
    FINITE = "finite"
    """None that lead back to themselves."""

    NONE = "none"
    """They are written out."""


STRING = frozenset({"minLength", "maxLength", "pattern", "format"})
NUMBER = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
ARRAY = frozenset(
    {
        "items",
        "prefixItems",
        "contains",
        "minContains",
        "maxContains",
        "minItems",
        "maxItems",
        "uniqueItems",
        "unevaluatedItems",
    }
)
OBJECT = frozenset(
    {
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedProperties",
    }
)
OF_KIND: dict[str, frozenset[str]] = {
    "string": STRING,
    "integer": NUMBER,
    "number": NUMBER,
    "array": ARRAY,
    "object": OBJECT,
}
"""The keywords that ask something of a kind of value; they ask nothing of others."""


@dataclass(frozen=True)
class SchemaProfile:
    """What a provider takes. Keywords that it does not take are told to the model in the
    description, and checked here.
    """

    name: str
    source: str
    """Where the provider says so."""
    form: Form = Form.SCHEMA
    otherwise: Form = Form.SCHEMA
    """In which form a schema goes that cannot be made to meet the rules."""
    has_strict: bool = True
    """Whether there is a switch between keeping a schema to the letter and trying to."""
    rewrites: bool = True
    """Whether schemas are made to meet the rules; otherwise they go as they are."""
    in_prompt: bool = False
    """Whether the schema also has to stand in the prompt."""
    object_root: bool = False
    closed: bool = False
    """Whether objects have `additionalProperties: false`."""
    all_required: bool = False
    references: References = References.ALL
    type_lists: bool = True
    """Whether `type` may be a list."""
    keywords: frozenset[str] = STRING | NUMBER | frozenset({"const", "minItems", "maxItems"})
    formats: frozenset[str] | None = None
    """The values of `format`; None for all."""
    most_min_items: int | None = None
    most_properties: int | None = None
    most_optional: int | None = None
    most_unions: int | None = None
    most_alternatives: int | None = None
    """In one `anyOf`."""
    most_values: int | None = None
    """In all `enum` together."""
    most_letters: int | None = None
    """In all names and values together."""
    most_levels: int | None = None
    """Of objects and arrays within each other."""


_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)

OPENAI = SchemaProfile(
    "OpenAI, strict",
    "https://platform.openai.com/docs/guides/structured-outputs#supported-schemas",
    object_root=True,
    closed=True,
    all_required=True,
    keywords=NUMBER | {"const", "pattern", "format", "minItems", "maxItems"},
    formats=_FORMATS,
    most_properties=5_000,
    most_values=1_000,
    most_letters=120_000,
    most_levels=10,
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
    keywords=NUMBER | {"const"},
    most_properties=500,
    most_values=500,
    most_letters=5_000,
    most_alternatives=5,
    most_levels=10,
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
    otherwise=Form.JSON,
    has_strict=False,
    references=References.NONE,
    keywords=frozenset({"format", "minimum", "maximum", "minItems", "maxItems", "prefixItems"}),
    formats=frozenset({"date-time", "date", "time"}),
)

ANTHROPIC = SchemaProfile(
    "Anthropic",
    "https://platform.claude.com/docs/en/build-with-claude/structured-outputs",
    otherwise=Form.TOOL,
    has_strict=False,
    object_root=True,
    closed=True,
    references=References.FINITE,
    keywords=frozenset({"const", "pattern", "format", "minItems"}),
    formats=_FORMATS | {"uri"},
    most_min_items=1,
    most_optional=24,
    most_unions=16,
)

ANTHROPIC_TOOL = replace(
    ANTHROPIC,
    name="Anthropic, older models",
    source="https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use",
    form=Form.TOOL,
    rewrites=False,
)

XAI = SchemaProfile(
    "xAI",
    "https://docs.x.ai/docs/guides/structured-outputs#supported-schemas",
    object_root=True,
    closed=True,
    keywords=NUMBER | {"const"},
)

JSON_SCHEMA = SchemaProfile(
    "any server that takes JSON schemas",
    "https://platform.openai.com/docs/api-reference/chat/create",
    rewrites=False,
)

JSON_OBJECT = SchemaProfile(
    "any server that can be asked for JSON",
    "https://platform.openai.com/docs/guides/structured-outputs#json-mode",
    form=Form.JSON,
)

NONE = SchemaProfile("any server", "https://json-schema.org", form=Form.PROMPT)

PROFILES = (
    *(OPENAI, GROQ, CEREBRAS, MISTRAL, XAI, FIREWORKS, GEMINI, ANTHROPIC),
    *(ANTHROPIC_TOOL, JSON_SCHEMA, JSON_OBJECT, NONE),
)
