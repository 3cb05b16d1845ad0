"""Keywords of JSON Schema, grouped by what they apply to.

https://json-schema.org/draft/2020-12/json-schema-validation
"""

from __future__ import annotations

ANNOTATIONS = frozenset(
    {
        "$comment",
        "default",
        "deprecated",
        "description",
        "discriminator",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)
"""Keywords that describe a value and do not restrict it."""

STRING_KEYWORDS = frozenset({"minLength", "maxLength", "pattern", "format"})
NUMBER_KEYWORDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
ARRAY_KEYWORDS = frozenset(
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
OBJECT_KEYWORDS = frozenset(
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
KEYWORDS_OF_TYPE: dict[str, frozenset[str]] = {
    "string": STRING_KEYWORDS,
    "integer": NUMBER_KEYWORDS,
    "number": NUMBER_KEYWORDS,
    "array": ARRAY_KEYWORDS,
    "object": OBJECT_KEYWORDS,
}
"""The keywords that restrict values of a type; they do not apply to values of other types."""

ASSERTIONS = frozenset().union(
    *KEYWORDS_OF_TYPE.values(),
    {"type", "enum", "const", "$ref"},
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"},
)
"""All keywords that restrict a value. The others describe it, or mean nothing."""
