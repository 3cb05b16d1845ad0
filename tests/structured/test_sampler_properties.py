"""What a sampler is given against what the schema says: any value, judged by jsonschema-rs."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oumi.core.json_schema.sources import to_json_schema
from oumi.structured.sampler.closed import without_hints
from oumi.structured.sampler.loosen import Loosened, loosen
from oumi.structured.sampler.references import write_out
from tests.structured.corpus import CORPUS

SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 3.5, -1, "", "a", "b", "ab", "x-1"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "x-1", ""]), inner, max_size=4)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "b", "c"])
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "null", "array", "object"])
PATTERNS = st.sampled_from(["^a", "b$", "^x-", "^(?!a)", ".", r"^\w\b"])
FORMATS = st.sampled_from(["date", "uri", "uri-reference", "regex", "no-such-format"])
COUNTS = st.integers(0, 3)


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(NAMES, inner, max_size=3)
    listed = st.lists(inner, min_size=1, max_size=3)
    names = st.lists(NAMES, max_size=2, unique=True)
    small = st.fixed_dictionaries(
        {},
        optional={
            "pattern": PATTERNS,
            "enum": st.lists(st.sampled_from(["a", "b", ""]), min_size=1, unique=True),
            "maxLength": COUNTS,
        },
    )
    known = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "const": SCALARS,
        "enum": st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr),
        "minimum": COUNTS,
        "exclusiveMaximum": COUNTS,
        "minLength": COUNTS,
        "maxLength": COUNTS,
        "pattern": PATTERNS,
        "format": FORMATS,
        "properties": fields,
        "required": names,
        "additionalProperties": inner,
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        "propertyNames": small,
        "minProperties": COUNTS,
        "maxProperties": COUNTS,
        "dependentRequired": st.dictionaries(NAMES, names, max_size=2),
        "dependentSchemas": st.dictionaries(NAMES, inner, max_size=2),
        "unevaluatedProperties": st.booleans(),
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "minItems": COUNTS,
        "maxItems": COUNTS,
        "uniqueItems": st.booleans(),
        "contains": inner,
        "minContains": COUNTS,
        "unevaluatedItems": st.booleans(),
        "allOf": listed,
        "anyOf": listed,
        "oneOf": listed,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "$ref": st.sampled_from(["#/$defs/d", "#/$defs/e"]),
    }
    chosen = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4, unique=True)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: known[key] for key in keys}))


SCHEMAS = st.recursive(st.booleans() | keywords(st.booleans()), keywords, max_leaves=6)
DEFS = {
    "d": {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
    "e": {"type": ["string", "array"], "items": {"$ref": "#/$defs/d"}},
}


def is_valid(schema: dict[str, Any], value: Any) -> bool:
    return jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value)


def sampled(loosened: Loosened) -> dict[str, Any]:
    return without_hints(loosened.schema)


def assert_keeps(schema: dict[str, Any], value: Any) -> None:
    """The sampler's schema takes what the schema takes, and nothing else unless it says so."""
    for multiplies in (True, False):
        loosened = loosen(schema, multiplies=multiplies)
        taken = is_valid(sampled(loosened), value)
        if is_valid(schema, value):
            assert taken, (schema, sampled(loosened))
        elif taken:
            assert loosened.checked, (schema, sampled(loosened))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    schema=SCHEMAS.filter(lambda one: isinstance(one, dict)), values=st.lists(VALUES, max_size=12)
)
def test_a_value_is_accepted_exactly_when_the_schema_accepts_it(schema: dict, values: list):
    try:
        normal = to_json_schema({**schema, "$defs": DEFS})
    except ValueError:
        return  # no schema, or one that leads back to itself
    for value in values:
        assert_keeps(normal, value)


SAMPLES = [
    *(None, True, 0, 3.5, -7, "", "a", "x-1", "2020-02-30", [], [1, 1], ["a", {"b": None}], {}),
    *({"a": 1}, {"a": "x", "b": 2}, {"kind": "a"}, {"id": 1, "name": "x", "tags": ["a", "a"]}),
]


@pytest.mark.parametrize("name", CORPUS)
def test_so_it_is_for_each_schema_of_the_corpus(name: str):
    normal = to_json_schema(CORPUS[name])
    for value in SAMPLES:
        assert_keeps(normal, value)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    schema=SCHEMAS.filter(lambda one: isinstance(one, dict)), values=st.lists(VALUES, max_size=12)
)
def test_references_written_out_change_nothing(schema: dict, values: list):
    try:
        normal = to_json_schema({**schema, "$defs": DEFS})
    except ValueError:
        return
    written = write_out(normal)
    for value in values:
        assert is_valid(written, value) == is_valid(normal, value), written
