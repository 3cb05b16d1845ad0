"""What providers are sent for a schema, and how their answers are restored."""

from __future__ import annotations

import re
from typing import Any

import pytest

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.sources import to_json_schema
from oumi.core.types import Conversation, Message, Role
from oumi.structured.schema import profiles
from oumi.structured.schema.adapt import AdaptedSchema, adapt, adapt_guided, add_instruction
from oumi.structured.schema.profiles import SchemaMode, SchemaProfile
from tests.conftest import ask
from tests.structured.home import HOME, HOME_AS_SENT, Home
from tests.structured.hostile import HARMLESS
from tests.structured.pieces import COLOUR, INT, NULL, STR, arr, obj, ref


def sent(schema: Any, to: SchemaProfile = profiles.OPENAI, **more: Any) -> AdaptedSchema:
    return adapt(to_json_schema(schema), to, **more)


def field(schema: Any, to: SchemaProfile = profiles.OPENAI) -> tuple[Any, Any, AdaptedSchema]:
    """What a required and an optional field of a schema become."""
    adapted = sent(obj({"a": schema, "b": schema}, ["a"]), to)
    fields = adapted.schema["properties"]
    return fields["a"], fields["b"], adapted


def test_a_class_meets_the_strict_rules_and_its_answers_come_back():
    adapted = sent(Home)
    assert adapted.strict
    assert adapted.unenforced == ("minLength",)
    assert adapted.schema["required"] == ["name", "place", "pet", "tools", "size", "note"]
    assert adapted.schema["properties"]["name"]["description"] == "Whose it is. (minLength: 2)"
    assert adapted.restore(HOME_AS_SENT) == HOME
    Home.model_validate(HOME)


def test_what_fits_goes_as_it_is():
    schema = obj({"name": {"type": "string"}, "sizes": arr(INT)})
    adapted = sent(schema)
    assert (adapted.schema, adapted.strict, adapted.restore) == (schema, True, None)


def test_an_optional_field_is_null_where_it_is_missing():
    needed, optional, adapted = field(INT)
    assert (needed, optional) == (INT, {"anyOf": [INT, NULL]})
    assert adapted.restore({"a": 1, "b": None}) == {"a": 1}
    assert adapted.restore({"a": 1, "b": 2}) == {"a": 1, "b": 2}


def test_a_field_that_may_be_null_and_may_be_missing_is_put_into_an_object():
    may_be_null = {"anyOf": [INT, NULL]}
    needed, optional, adapted = field(may_be_null)
    assert needed == may_be_null
    assert optional == {"anyOf": [obj({"value": may_be_null}), NULL]}
    assert adapted.restore({"a": None, "b": None}) == {"a": None}
    assert adapted.restore({"a": None, "b": {"value": None}}) == {"a": None, "b": None}


def test_a_field_that_is_null_by_default_is_null_where_it_is_missing():
    _, optional, adapted = field({"anyOf": [INT, NULL], "default": None})
    assert optional == {"anyOf": [INT, NULL]}
    assert adapted.restore is None


@pytest.mark.parametrize("schema", [INT, arr(INT), COLOUR, {"anyOf": [INT, NULL]}], ids=str)
def test_what_is_no_object_is_put_into_one(schema: dict[str, Any]):
    adapted = sent(schema)
    assert adapted.schema["type"] == "object"
    assert adapted.schema["required"] == ["value"]
    assert adapted.restore({"value": 3}) == 3


def test_a_root_that_refers_to_itself_is_put_into_an_object():
    adapted = sent({"anyOf": [INT, arr({"$ref": "#"})]})
    assert adapted.schema["properties"]["value"] == ref("root")
    assert adapted.schema["$defs"]["root"]["anyOf"][1]["items"] == ref("root")
    assert adapted.restore({"value": [1, [2]]}) == [1, [2]]


def test_a_map_becomes_a_list_of_pairs():
    adapted = sent({"type": "object", "additionalProperties": arr(obj({"a": INT}, []))})
    value = {"value": [{"key": "x", "value": [{"a": None}, {"a": 3}]}, {"key": "", "value": []}]}
    assert adapted.restore(value) == {"x": [{}, {"a": 3}], "": []}
    pattern = {"patternProperties": {"^x-": INT}, "additionalProperties": False}
    pair = sent({"type": "object", **pattern}).schema["properties"]["value"]["items"]
    assert pair["properties"]["key"] == {"type": "string", "pattern": "^x-"}


def test_alternatives_are_told_apart():
    adapted = sent(arr({"oneOf": [obj({"a": INT}, []), obj({"b": {"const": 1}, "c": INT}, ["b"])]}))
    assert adapted.unenforced == ()  # closed, the first takes no `b`
    value = {"value": [{"a": None}, {"b": 1, "c": None}, {"a": 2}]}
    assert adapted.restore(value) == [{}, {"b": 1}, {"a": 2}]


def test_recursion_is_turned_back_at_every_level():
    node = obj({"v": INT, "next": ref("node")}, ["v"])
    adapted = sent(ref("node") | {"$defs": {"node": node}})
    value = {"v": 1, "next": {"v": 2, "next": {"v": 3, "next": None}}}
    assert adapted.restore(value) == {"v": 1, "next": {"v": 2, "next": {"v": 3}}}


def test_schemas_for_one_value_are_taken_together():
    base = {"type": "object", "properties": {"id": INT}, "required": ["id"]}
    schema = {"allOf": [ref("base"), {"properties": {"name": STR}}], "$defs": {"base": base}}
    adapted = sent(schema)
    assert adapted.schema["properties"].keys() == {"id", "name"}
    assert adapted.restore({"id": 1, "name": None}) == {"id": 1}


def test_what_does_not_fit_is_left_for_the_validator():
    restore = sent(Home).restore
    for value in (None, 3, "x", [], {"place": 3}, {"tools": [{"key": "a"}]}, {"name": None}):
        assert restore(value) == value


NOT_SUPPORTED = [
    ({"type": "object"}, "an object of any fields"),
    ({"type": "array"}, "accepts anything"),
    (obj({"a": False}), "required names a field"),
    ({"minimum": 3}, "without a type"),
    (obj({"a": INT}, additionalProperties=True), "additionalProperties"),
    (obj({"a": INT}, patternProperties={"^x": INT}), "patternProperties"),
    ({"type": "array", "prefixItems": [INT], "items": INT}, "prefixItems"),
    ({"enum": [{"a": 1}]}, "enum"),
    ({"type": "string", "enum": [1]}, "enum: nothing"),
    ({"type": "string", "allOf": [{"pattern": "a"}, {"pattern": "b"}]}, "allOf"),
    ({"anyOf": [obj({"a": INT}, []), obj({"a": STR})]}, "anyOf: .*cannot be distinguished"),
    (obj({f"f{i}": NULL for i in range(5001)}), "5,001 fields; at most 5,000"),
    ({"enum": [f"v{i}" for i in range(1001)]}, "1,001 values in enum"),
    (obj({"x" * 121_000: INT}), "characters"),
    ({"enum": ["v" * 70 + str(i) for i in range(300)]}, "characters in one long enum"),
]


@pytest.mark.parametrize(
    ("schema", "reason"), NOT_SUPPORTED, ids=[reason for _, reason in NOT_SUPPORTED]
)
def test_what_cannot_be_met_goes_without_strict_mode(schema: dict[str, Any], reason: str):
    adapted = sent(schema)
    assert not adapted.strict
    assert adapted.mode is SchemaMode.SCHEMA
    assert re.search(reason, adapted.reason)
    inner = (
        adapted.schema if schema.get("type") == "object" else adapted.schema["properties"]["value"]
    )
    assert inner == schema


def test_references_that_a_provider_does_not_take_are_written_out():
    schema = obj({"from": ref("p"), "to": arr(ref("p"))}) | {"$defs": {"p": obj({"x": INT})}}
    adapted = sent(schema, profiles.GEMINI)
    assert adapted.schema == obj({"from": obj({"x": INT}), "to": arr(obj({"x": INT}))})
    recursive = sent(obj({"next": {"$ref": "#"}}, []), profiles.GEMINI)
    assert (recursive.mode, recursive.reason) == (SchemaMode.JSON, "$ref: # is recursive")


def test_a_type_list_is_written_as_alternatives_where_it_has_to_be():
    part = {"type": ["string", "integer"], "minimum": 3}
    assert field(part)[0] == {"type": ["string", "integer"], "minimum": 3}
    apart = {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]}
    assert field(part, profiles.CEREBRAS)[0] == apart


def test_null_among_numbers_that_are_listed_stays():
    part = {"type": ["number", "null"], "enum": [1, None]}
    assert field(part)[0] == part
    apart = [{"type": "integer", "enum": [1]}, {"type": "null", "enum": [None]}]
    assert field(part, profiles.CEREBRAS)[0] == {"anyOf": apart}


def test_each_row_says_where_it_is_from():
    names = [row.name for row in profiles.PROFILES]
    assert len(set(names)) == len(names)
    assert all(row.source.startswith("https://") for row in profiles.PROFILES)


def test_strict_mode_can_be_left_out():
    adapted = sent(Home, strict=False)
    assert (adapted.strict, adapted.schema) == (False, to_json_schema(Home))


def test_a_schema_in_the_prompt():
    for row, mode in ((profiles.JSON_OBJECT, SchemaMode.JSON), (profiles.NONE, SchemaMode.PROMPT)):
        adapted = sent(obj({"a": INT}), row)
        assert (adapted.mode, adapted.schema) == (mode, None)
        assert '{"type":"object","properties":{"a"' in adapted.instruction
    chosen = adapt_guided(GuidedDecodingParams(choice=["a", "b"]), profiles.JSON_OBJECT)
    assert chosen.mode is SchemaMode.PROMPT
    assert chosen.instruction.endswith("- a\n- b")


def test_an_instruction_goes_to_the_end_of_the_system_message():
    adapted = sent(obj({"a": INT}), profiles.NONE)
    system = Message(role=Role.SYSTEM, content="Be brief.")
    asked = Conversation(messages=[system, *ask("Hi").messages])
    assert (
        add_instruction(asked, adapted).messages[0].content == f"Be brief.\n\n{adapted.instruction}"
    )
    assert add_instruction(ask("Hi"), adapted).messages[0].content == adapted.instruction
    assert asked.messages[0].content == "Be brief."
    assert add_instruction(asked, None) is asked


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", HARMLESS)
def test_an_odd_schema_is_adapted_in_no_time(name: str):
    for row in profiles.PROFILES:
        adapted = sent(HARMLESS[name], row)
        assert adapted.schema is not None or adapted.instruction


def test_a_grammar_is_no_schema():
    with pytest.raises(ValueError, match="grammar"):
        adapt_guided(GuidedDecodingParams(grammar="start: 'a'"), profiles.OPENAI)
