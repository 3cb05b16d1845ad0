"""What samplers on this machine are told of a schema, and what is left to the check."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.sources import to_json_schema
from oumi.errors import UnsupportedError
from oumi.structured.room import Room
from oumi.structured.sampler.bounds import bound
from oumi.structured.sampler.compile_time import compile_time
from oumi.structured.sampler.fit import refusal
from oumi.structured.sampler.grammar import check_guidance, to_lark
from oumi.structured.sampler.schema import for_answer, for_sampler
from tests.structured.test_schema import samples

INT, STR = {"type": "integer"}, {"type": "string"}
OPEN = {"type": "object", "properties": {"a": INT}, "required": ["a"]}


def writes(schema: dict[str, Any], value: Any, room: Room | None = None) -> bool:
    """Whether a sampler may write a value."""
    return samples(to_lark(GuidedDecodingParams(json=schema), room), json.dumps(value))


def left_out(schema: dict[str, Any]) -> list[tuple[str, str]]:
    return [tuple(one) for one in for_sampler(to_json_schema(schema)).checked]


@pytest.mark.parametrize(
    ("schema", "written", "not_written"),
    [
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]} | OPEN, {"a": 1}, {"a": 1, "b": 2}),
        ({"type": "string", "not": {"enum": ["a", "ab"]}}, "b", "ab"),
        (OPEN | {"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 2}, {"a": 1}),
        ({"type": "object", "propertyNames": {"pattern": "^x"}}, {"x": 1}, {"y": 1}),
        (
            {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True},
            ["b", "a"],
            ["a", "a"],
        ),
        ({"type": "number", "minimum": 3, "exclusiveMinimum": True}, 4, 3),
        ({"type": "string", "format": "uri"}, "https://a.b/c?d#e", "no uri"),
        ({"type": "string", "format": "color"}, "anything", 3),
        (
            {
                "properties": {"kind": {"enum": ["a", "b"]}, "n": INT},
                "type": "object",
                "required": ["kind"],
                "if": {"properties": {"kind": {"const": "a"}}},
                "then": {"required": ["n"]},
            },
            {"kind": "b"},
            {"kind": "a"},
        ),
    ],
)
def test_a_sampler_keeps_what_can_be_said_in_other_keywords(
    schema: dict[str, Any], written: Any, not_written: Any
):
    assert left_out(schema) == []
    assert writes(schema, written)
    assert not writes(schema, not_written)


@pytest.mark.parametrize(
    ("schema", "keyword", "pointer"),
    [
        ({"type": "array", "uniqueItems": True}, "uniqueItems", "/uniqueItems"),
        (
            {"type": "object", "properties": {"a/b": {"pattern": "^(?!x)"}}},
            "pattern",
            "/properties/a~1b/pattern",
        ),
        ({"type": "array", "contains": INT}, "contains", "/contains"),
        ({"type": "string", "format": "regex"}, "format", "/format"),
    ],
)
def test_what_is_only_checked_is_named_and_refused_where_all_has_to_be_kept(
    schema: dict[str, Any], keyword: str, pointer: str
):
    assert left_out(schema) == [(keyword, pointer)]
    check_guidance(GuidedDecodingParams(json=schema))
    with pytest.raises(UnsupportedError, match=rf"cannot be kept: {keyword} \(at {pointer}\)"):
        check_guidance(GuidedDecodingParams(json=schema, strict=True))


def test_what_nothing_satisfies_is_refused_with_the_reason():
    schema = {"type": "object", "properties": {"a": False}, "required": ["a"]}
    with pytest.raises(UnsupportedError, match=r"nothing satisfies the schema: .*'a'"):
        check_guidance(GuidedDecodingParams(json=schema))


def test_objects_that_say_nothing_of_other_fields_get_none():
    assert not writes(OPEN, {"a": 1, "b": 2})
    assert writes(OPEN | {"additionalProperties": True}, {"a": 1, "b": 2})
    base = {"$ref": "#/$defs/base", "properties": {"b": INT}, "$defs": {"base": OPEN}}
    assert writes(base, {"a": 1, "b": 2})
    assert not writes(base, {"a": 1, "b": 2, "c": 3})


def test_a_schema_that_takes_too_long_to_compile_is_refused():
    guided = GuidedDecodingParams(json={"type": "string", "pattern": "^(too slow)+$"})
    with (
        compile_time(0),
        pytest.raises(UnsupportedError, match="compiling the schema takes more than 30 s"),
    ):
        check_guidance(guided)
    check_guidance(guided)  # it is compiled when there is time


def test_bounds_grow_with_the_room():
    schema = {"type": "object", "properties": {"text": STR, "list": {"type": "array"}}}
    for characters in (100, 400):
        longest = {"text": "x" * characters, "list": []}
        assert writes(schema, longest, Room(characters * 3))
        assert not writes(schema, {**longest, "text": "x" * characters * 4}, Room(characters))
    assert writes(schema, {"text": "x" * 10_000, "list": [1] * 500})


def test_after_an_answer_was_cut_off_the_longest_one_fits():
    node = {
        "type": "object",
        "properties": {"name": STR, "size": {"type": "number"}, "in": {"$ref": "#/$defs/node"}},
        "required": ["name"],
    }
    schema = to_json_schema({"$ref": "#/$defs/node", "$defs": {"node": node}})
    bounded = for_answer(schema, Room(300, is_last=True))
    assert refusal(bounded) is None
    deep: dict[str, Any] = {"name": "x"}
    for _ in range(12):
        deep = {"name": "x", "in": deep}
    assert not samples(
        to_lark(GuidedDecodingParams(json=schema), Room(300, True)), json.dumps(deep)
    )
    assert bound({"type": "number"}, Room(300, is_last=True))["multipleOf"] == 1e-6
