"""Which answers are valid, and what is wrong with the others."""

from __future__ import annotations

import json
import re

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.core.json_text import parse_json
from oumi.structured.contract import Contract, make_contract
from oumi.structured.schema.adapt import adapt_guided
from oumi.structured.schema.profiles import GEMINI, OPENAI, SchemaProfile
from oumi.structured.schema.restore import Restore

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 3}, "a/b~": {"type": "integer"}},
    "required": ["name"],
}
ANYTHING: dict[str, object] = {}


def contract(restore: Restore | None = None, **form: object) -> Contract:
    guided = GuidedDecodingParams(**form)
    made = make_contract(GenerationParams(guided_decoding=guided), restore)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("form", "text", "problem"),
    [
        ({"json": SCHEMA}, '{"name": "abc"}', None),
        ({"json": SCHEMA}, ' {"name": "abc"}\n', None),
        ({"json": SCHEMA}, '{"name": "abcd"}', "^/name: .*longer than 3"),
        ({"json": SCHEMA}, '{"name": "a", "a/b~": "x"}', '^/a~1b~0: "x" is not of type "integer"'),
        ({"json": SCHEMA}, "{}", "^the whole value: .*required"),
        ({"json": SCHEMA}, '{"name": 1, "a/b~": "x"}', "/name: .*; /a~1b~0: "),
        ({"json": SCHEMA}, '{"name"', "^not JSON: EOF"),
        ({"json": SCHEMA}, "", "^the answer is empty"),
        ({"json": SCHEMA}, " \n", "^the answer is empty"),
        ({"json": {"type": "number"}}, "NaN", "^not JSON"),
        ({"json": {"type": "number"}}, "1e999", "not of type"),
        ({"json": ANYTHING}, '"\\ud800"', "^not JSON"),
        ({"json": ANYTHING}, "[" * 300 + "]" * 300, "^not JSON: recursion"),
        ({"json": {"format": "date"}}, '"2026-13-01"', 'not a "date"'),
        ({"choice": ["a", "b"]}, "b", None),
        ({"choice": ["a", "b"]}, "c", "^'c' is none of the choices"),
        ({"choice": ["a", "b"]}, "", "^an empty answer is none"),
        ({"regex": "[0-9]+"}, "12", None),
        ({"regex": "[0-9]+"}, "12x", r"^'12x' does not match \[0-9\]\+"),
        ({"grammar": 'start: "yes" | "no"'}, "yes", None),
        ({"grammar": 'root ::= "yes" | "no"'}, "ye", "'ye' is not of the grammar"),
        ({"grammar": 'start: "yes" | "no"'}, "yess", "not of the grammar"),
        ({"grammar": "a notation of the server's own"}, "anything", None),
    ],
)
def test_what_is_wrong_is_named(form: dict, text: str, problem: str | None):
    verdict = contract(**form).validate(text)
    if problem is None:
        assert verdict.problem is None
        assert verdict.text == text
    else:
        assert re.search(problem, verdict.problem or "it is valid")


def test_errors_are_few_and_short():
    wanted = contract(json={"items": {"maxLength": 1}})
    problem = wanted.validate(json.dumps(["x" * 10_000] * 100)).problem
    assert "and more" in problem
    assert len(problem) < 2000


def test_of_a_name_that_stands_twice_the_last_counts():
    wanted = contract(json={"properties": {"n": {"type": "integer"}}})
    assert wanted.validate('{"n": "x", "n": 1}').problem is None
    assert wanted.validate('{"n": 1, "n": "x"}').problem.startswith("/n:")


def test_long_integers_are_checked_exactly():
    large = 7 * 10**30
    wanted = contract(json={"type": "integer", "multipleOf": 7})
    assert wanted.validate(str(large)).problem is None
    assert wanted.validate(str(large + 1)).problem is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_python_reads_it(value: object):
    text = json.dumps(value, ensure_ascii=False).encode(errors="ignore").decode()
    if "Infinity" not in text:
        assert parse_json(text) == json.loads(text)


def test_a_value_is_turned_back_before_it_is_checked():
    def restore(value: dict) -> dict:
        return {name: part for name, part in value.items() if part is not None}

    wanted = contract(restore, json={**SCHEMA, "additionalProperties": False})
    text = '{"name": "é", "a/b~": null}'
    assert wanted.validate(text).text == '{"name":"é"}'
    assert wanted.validate(f"Here: {text}").text == '{"name":"é"}'
    unchanged = '{"name":  "é"}'
    assert wanted.validate(unchanged).text is unchanged


def test_a_choice_may_come_inside_json():
    def restore(value: object) -> object:
        return value.get("answer") if isinstance(value, dict) else value

    wanted = contract(restore, choice=["red", "blue"])
    assert wanted.validate('{"answer": "red"}').text == "red"
    assert "none of the choices" in wanted.validate('{"answer": "green"}').problem
    assert wanted.validate("red").text == "red"
    assert wanted.validate('Sure: {"answer": "red"}').text == "red"
    assert "'[]' is none of the choices" in wanted.validate("[]").problem


def test_a_value_that_is_in_the_caller_s_form_already_fits():
    wanted = contract(lambda value: [value], json={"type": "integer"})
    assert wanted.validate("12").text == "12"


SCHEMAS = (
    {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"properties": {"c": {"type": "integer"}}}},
        "required": ["a"],
    },
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
    {"type": ["integer", "null"]},
    {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"a": {"$ref": "#/$defs/node"}}}},
    },
)
NAMES = st.sampled_from(["a", "b", "c", "key", "value", "item_1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DRESS = st.sampled_from(["{}", "```json\n{}\n```", "Here: {} .", "<think>hm</think>{}", "{}x"])


@pytest.mark.parametrize("profile", [OPENAI, GEMINI], ids=lambda profile: profile.name)
@given(value=VALUES, dress=DRESS)
def test_whatever_is_handed_out_fits(profile: SchemaProfile, value: object, dress: str):
    text = dress.replace("{}", json.dumps(value))
    for schema in SCHEMAS:
        guided = GuidedDecodingParams(json=schema)
        restore = adapt_guided(guided, profile).restore
        for wanted in (contract(json=schema), contract(restore, json=schema)):
            verdict = wanted.validate(text)
            if verdict.problem is None:
                assert jsonschema_rs.is_valid(guided.json, json.loads(verdict.text))
