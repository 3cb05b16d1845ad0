"""What schemas are made of, and what they are turned into."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from llguidance import LLMatcher, LLTokenizer
from pydantic import BaseModel
from typing_extensions import TypedDict

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.regex import matches
from oumi.core.json_schema.sources import to_json_schema
from oumi.errors import UnsupportedError
from oumi.structured.sampler.grammar import check_guidance, to_lark
from tests.structured.hostile import HARMLESS, REFUSED


class Model(BaseModel):
    name: str
    price: int


@dataclasses.dataclass
class Data:
    name: str
    price: int


class Typed(TypedDict):
    name: str
    price: int


AS_DICT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "integer"}},
    "required": ["name", "price"],
}


@pytest.mark.parametrize("given", [Model, Data, Typed, AS_DICT, json.dumps(AS_DICT)], ids=str)
def test_all_inputs_ask_for_the_same(given: Any):
    schema = GuidedDecodingParams(json=given).json
    assert schema["properties"]["price"]["type"] == "integer"
    assert sorted(schema["required"]) == ["name", "price"]


@pytest.mark.parametrize("kind", [str, Path])
def test_a_schema_is_read_from_a_file(tmp_path: Path, kind: type):
    file = tmp_path / "product.json"
    file.write_text(json.dumps(AS_DICT))
    assert to_json_schema(kind(file)) == AS_DICT


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere.json", "neither JSON nor a file: nowhere.json"),
        ('{"type"', "not JSON: "),
        ("[1]", "a schema is an object; found list"),
        (5, "expected a Pydantic class, a dataclass"),
        ({"type": "strng"}, "not a JSON schema: type: "),
        ({"properties": {"a": {"minimum": "3"}}}, r"properties\.a\.minimum: .*number"),
        ({"a": object()}, "not JSON"),
        ({"$ref": "https://x.test/y.json"}, "another document; nothing is fetched"),
        ({"$ref": "other.json#/a"}, "another document"),
        ({"$ref": "#/$defs/a"}, "leads nowhere"),
        ({"$ref": "#nowhere"}, "leads nowhere"),
        ({"$ref": 5}, "expected text"),
    ],
)
def test_what_is_no_schema_says_why(given: Any, message: str):
    with pytest.raises(ValueError, match=message):
        to_json_schema(given)


def test_a_file_that_holds_no_json(tmp_path: Path):
    file = tmp_path / "broken.json"
    file.write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json: not JSON"):
        to_json_schema(file)


DRAFTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"definitions": {"a": {"type": "null"}}, "items": {"$ref": "#/definitions/a"}},
        {"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"type": "null"}}},
    ),
    ({"items": [{}, {"type": "null"}]}, {"prefixItems": [{}, {"type": "null"}]}),
    ({"items": [{}], "additionalItems": False}, {"prefixItems": [{}], "items": False}),
    ({"items": {}, "additionalItems": False}, {"items": {}}),
    ({"minimum": 3, "exclusiveMinimum": True}, {"exclusiveMinimum": 3}),
    ({"maximum": 3, "exclusiveMaximum": False}, {"maximum": 3}),
    (
        {"dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
        {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
    ),
    ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    (
        {"type": "string", "enum": ["a"], "nullable": True},
        {"type": ["string", "null"], "enum": ["a", None]},
    ),
    ({"$ref": "#/$defs/a", "$defs": {"a": {}}, "nullable": False}, {"$ref": "#/$defs/a"}),
    ({"$id": "https://x.test/y", "items": {"$ref": "https://x.test/y"}}, {"items": {"$ref": "#"}}),
    ({"$id": "https://x.test/y", "items": {"$ref": "y#"}}, {"items": {"$ref": "#"}}),
    (
        {"properties": {"a": {"$anchor": "here"}, "b": {"$ref": "#here"}}},
        {"properties": {"a": {}, "b": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}},
    ),
    (
        {"components": {"x/y": {"type": "null"}}, "items": {"$ref": "#/components/x~1y"}},
        {"items": {"$ref": "#/$defs/x_y"}, "$defs": {"x_y": {"type": "null"}}},
    ),
    (
        {"properties": {"a": {"$defs": {"n": True}, "$ref": "#/properties/a/$defs/n"}}},
        {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": True}},
    ),
    ({"items": {"$recursiveRef": "#"}}, {"items": {"$ref": "#"}}),
    (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"a": {"$ref": "#/definitions/n", "minLength": 9}},
            "definitions": {"n": {"id": 5}},
        },
        {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"id": 5}}},
    ),
    (
        {"$schema": "http://json-schema.org/draft-04/schema#", "id": "https://x.test/y"},
        {},
    ),
    ({"properties": {"id": {"const": 1}, "definitions": {"type": "null"}}}, {}),
]


@pytest.mark.parametrize(("old", "new"), DRAFTS, ids=lambda part: str(part)[:40])
def test_older_drafts_become_draft_2020_12(old: dict[str, Any], new: dict[str, Any]):
    found = to_json_schema(old)
    assert found.items() >= new.items()
    assert not found.keys() & {"$schema", "$id", "id", "definitions", "dependencies"}
    assert to_json_schema(found) == found


DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"
DATED = [
    {"$schema": DRAFT_4, "minimum": 3, "exclusiveMinimum": True},
    {"$schema": DRAFT_4, "maximum": 1, "exclusiveMaximum": False},
    {
        "$schema": DRAFT_4,
        "definitions": {"a": {"minimum": 2}},
        "items": {"$ref": "#/definitions/a"},
    },
    {"$schema": DRAFT_4, "items": [{"type": "null"}], "additionalItems": False},
    {"$schema": DRAFT_7, "items": [{"type": "integer"}, {"type": "string"}]},
    {"$schema": DRAFT_7, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
    {
        "$schema": DRAFT_7,
        "properties": {"a": {"$ref": "#/definitions/n", "minLength": 9}},
        "definitions": {"n": {"type": "string"}},
    },
    {
        "$schema": DRAFT_7,
        "$id": "https://x.test/y",
        "items": {"$ref": "y#/definitions/n"},
        "definitions": {"n": {"type": "null"}},
    },
    {"$schema": DRAFT_2019, "type": ["array", "null"], "items": {"$recursiveRef": "#"}},
    {"$schema": DRAFT_2019, "items": [{"type": "integer"}], "additionalItems": {"type": "null"}},
    {
        "$schema": DRAFT_2019,
        "items": {"$ref": "#word"},
        "$defs": {"w": {"$anchor": "word", "const": 1}},
    },
]
VALUES = [
    *(None, 1, 2, 3, 4, "a", "ab", [], [1], [2], [1, "a"], [1, None], [None], [None, None], [[]]),
    *({}, {"a": "b"}, {"a": 1, "b": None}, {"c": 1}, {"c": 1, "d": 1}, {"a": "x" * 9}),
]


@pytest.mark.parametrize("old", DATED, ids=str)
def test_conversion_keeps_what_is_accepted(old: dict[str, Any]):
    before = jsonschema_rs.validator_for(old)
    after = jsonschema_rs.validator_for(to_json_schema(old))
    accepted = [value for value in VALUES if before.is_valid(value)]
    assert [value for value in VALUES if after.is_valid(value)] == accepted
    assert 0 < len(accepted) < len(VALUES)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_schema_is_refused_by_name(name: str):
    schema, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        GuidedDecodingParams(json=schema)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HARMLESS)
def test_an_odd_schema_is_checked_in_no_time(name: str):
    schema = GuidedDecodingParams(json=HARMLESS[name]).json
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid("a" * 50_000) in (True, False)


@pytest.mark.parametrize(
    ("regex", "message"),
    [
        ("[", "unclosed character class"),
        ("((a{1000}){1000}){1000}", "too large"),
    ],
)
def test_an_expression_that_engines_do_not_take_says_why(regex: str, message: str):
    with pytest.raises(ValueError, match=message):
        GuidedDecodingParams(regex=regex)


@pytest.mark.parametrize(
    "regex", [r"\d+", "^a|b$", r"\p{L}{2,}", "a/b", "(?i)yes", "[a-z ]{2000,}"]
)
def test_an_expression_that_engines_take(regex: str):
    assert GuidedDecodingParams(regex=regex).regex == regex


@pytest.mark.timeout(20)
def test_matching_takes_no_exponential_time():
    assert not matches("(a+)+b", "a" * 100_000)
    assert matches("(a|ab)(c|bcd)", "abcd")
    assert not matches("a|b", "ab")


@pytest.mark.parametrize(
    ("choices", "message"),
    [([], "at least 1"), (["a", "b", "a"], "'a' is given twice")],
)
def test_choices_make_sense(choices: list[str], message: str):
    with pytest.raises(ValueError, match=message):
        GuidedDecodingParams(choice=choices)


@pytest.mark.parametrize(
    "regex",
    [
        *(r"\d", r"\w\d?", r"\D", r"\W", r"[\d.]+", r"[^\d]", r"[a\]\w]", r"\\d", r"a/\d"),
        *("^a|7$", ".", "[[]|]", "a??", r"\p{L}", "(?i)A"),
    ],
)
def test_samplers_and_checks_read_an_expression_alike(regex: str):
    lark = to_lark(GuidedDecodingParams(regex=regex))
    texts = ["7", "7.7", "a", "a7", "_", "-", "]", "é", "߀", "é7", r"\d", "a/7", "a/߀", ""]
    sampled = [text for text in texts if samples(lark, text)]
    assert sampled == [text for text in texts if matches(regex, text)]
    assert sampled


@pytest.mark.parametrize(
    ("regex", "valid", "invalid"),
    [
        (r"(?!b)[a-c]", ["a", "c"], "b"),
        (r"(?<=^a)b|ab", ["ab"], "b"),
        (r"\bab\b.*", ["ab", "ab!"], "abc"),
        (r"(a|b)\1", ["aa", "bb"], "ab"),
        (r"(?=.*7)\w+", ["a7"], "aa"),
    ],
)
def test_what_a_sampler_cannot_look_for_is_checked(regex: str, valid: list[str], invalid: str):
    guided = GuidedDecodingParams(regex=regex)
    lark = to_lark(guided)
    assert all(samples(lark, text) and matches(regex, text) for text in valid)
    assert samples(lark, invalid)
    assert not matches(regex, invalid)
    with pytest.raises(UnsupportedError, match="strict: true"):
        check_guidance(guided.model_copy(update={"strict": True}))


@pytest.mark.parametrize(
    "choices",
    [
        ["New York", "New York City", "New"],
        ["", "x"],
        ['say "hi"', "it's", "a\nb", "c\r\td", "e\\", "/", "[a]{2}", "n\0", "😀", "e\u0301"],
        [f"item number {at}" for at in range(3_000)],
    ],
    ids=["prefixes", "empty", "odd letters", "many"],
)
def test_a_sampler_keeps_any_choice(choices: list[str]):
    lark = to_lark(GuidedDecodingParams(choice=choices))
    assert all(samples(lark, text) for text in choices[-12:])
    assert not samples(lark, "New Yor")


def samples(lark: str, text: str) -> bool:
    matcher = LLMatcher(LLTokenizer("byte"), lark)
    letters = list(text.encode())
    return matcher.validate_tokens(letters) == len(letters) and (
        matcher.consume_tokens(letters) and matcher.is_accepting()
    )
