"""What fits, and what is said of that which does not."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.core.json_text import parse_json
from oumi.structured.expectation import Expectation, expect

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 3}, "a/b~": {"type": "integer"}},
    "required": ["name"],
}
ANYTHING: dict[str, object] = {}


def expectation(**form: object) -> Expectation:
    made = expect(GenerationParams(guided_decoding=GuidedDecodingParams(**form)))
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("form", "text", "misfit"),
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
def test_what_is_wrong_is_named(form: dict, text: str, misfit: str | None):
    found = expectation(**form).read(text)
    if misfit is None:
        assert found.misfit is None
        assert found.text == text
    else:
        assert re.search(misfit, found.misfit or "it fits")


def test_errors_are_few_and_short():
    wanted = expectation(json={"items": {"maxLength": 1}})
    misfit = wanted.read(json.dumps(["x" * 10_000] * 100)).misfit
    assert "and more" in misfit
    assert len(misfit) < 2000


def test_of_a_name_that_stands_twice_the_last_counts():
    wanted = expectation(json={"properties": {"n": {"type": "integer"}}})
    assert wanted.read('{"n": "x", "n": 1}').misfit is None
    assert wanted.read('{"n": 1, "n": "x"}').misfit.startswith("/n:")


def test_long_integers_are_checked_exactly():
    large = 7 * 10**30
    wanted = expectation(json={"type": "integer", "multipleOf": 7})
    assert wanted.read(str(large)).misfit is None
    assert wanted.read(str(large + 1)).misfit is not None


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
    guided = GuidedDecodingParams(json={**SCHEMA, "additionalProperties": False})

    def restore(value: dict) -> dict:
        return {name: part for name, part in value.items() if part is not None}

    wanted = expect(GenerationParams(guided_decoding=guided), restore)
    text = '{"name": "é", "a/b~": null}'
    assert wanted.read(text).text == '{"name":"é"}'
    assert wanted.read(f"Here: {text}").text == '{"name":"é"}'
    unchanged = '{"name":  "é"}'
    assert wanted.read(unchanged).text is unchanged


def test_a_choice_may_come_inside_json():
    guided = GuidedDecodingParams(choice=["red", "blue"])
    wanted = expect(GenerationParams(guided_decoding=guided), lambda value: value["answer"])
    assert wanted.read('{"answer": "red"}').text == "red"
    assert "none of the choices" in wanted.read('{"answer": "green"}').misfit
    assert wanted.read("red").misfit.startswith("not JSON")
