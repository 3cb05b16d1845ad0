"""Answers that would keep a validator busy: each gets its verdict soon, and an error that helps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.core.json_schema.complexity import count_visits
from oumi.structured.contract import Contract, make_contract
from tests.fault_server import FaultServer
from tests.structured.hostile_answers import LIMIT_MB, LIMIT_S, PAIRS, TEXTS, levels, tagged
from tests.structured.scripts import engine, reply, rows

_FITS = {"a multiple of little"}


class Number(BaseModel):
    kind: Literal["number"]
    value: float


class Sum(BaseModel):
    kind: Literal["sum"]
    args: list[Expression]


class Product(BaseModel):
    kind: Literal["product"]
    args: list[Expression]


Expression = Number | Sum | Product


class Answer(BaseModel):
    expression: Expression


def contract(schema: Any) -> Contract:
    made = make_contract(GenerationParams(guided_decoding=GuidedDecodingParams(json=schema)))
    assert made is not None
    return made


def sums(levels: int, leaf: dict[str, Any]) -> dict[str, Any]:
    value = leaf
    for _ in range(levels):
        value = {"kind": "sum", "args": [value]}
    return {"expression": value}


@pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from /proc")
@pytest.mark.timeout(300)
def test_a_hostile_answer_costs_little():
    command = [sys.executable, "-m", "tests.structured.hostile_answers"]
    done = subprocess.run(command, capture_output=True, text=True)
    judged = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert judged.keys() == PAIRS.keys() | TEXTS.keys(), done.stderr  # the others were killed
    for name, found in judged.items():
        # Twice, because a machine with other work has colder caches.
        assert found["seconds"] < 2 * LIMIT_S, found
        assert found["megabytes"] < LIMIT_MB, found
        assert bool(found["problem"]) == (name not in _FITS), found
        assert len(found["problem"] or "") < 5_000, found


def test_a_recursive_union_names_the_branch_of_the_tag():
    problem = contract(Answer).validate(json.dumps(sums(90, {"kind": "number"}))).problem
    assert problem.endswith("/args/0: \"value\" is a required property (taken as kind 'number')")
    wrong = {"kind": "number", "value": "one"}
    problem = contract(Answer).validate(json.dumps(sums(2, wrong))).problem
    assert problem == (
        '/expression/args/0/args/0/value: "one" is not of type "number" (taken as kind \'number\')'
    )
    problem = contract(Answer).validate(json.dumps(sums(1, {"kind": "power"}))).problem
    assert problem == (
        "/expression/args/0: kind is 'power'; it is one of 'number', 'sum', 'product' "
        "(taken as kind 'sum')"
    )


def test_a_row_fails_alone_with_that_error(server: FaultServer):
    answer = json.dumps(sums(90, {"kind": "number", "value": "one"}))
    server.plan(scripts={"row-0": [reply(answer)] * 2})
    guided = GuidedDecodingParams(json=Answer)
    with engine(server) as opened:
        config = InferenceConfig(generation=GenerationParams(guided_decoding=guided))
        result = opened.infer_partial(rows(1), config)
    assert '/value: "one" is not of type "number"' in result.error_messages[0]


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"additionalProperties": False}, {"a": 1}, "/a: is not allowed here"),
        ({"contains": {"type": "integer"}}, ["x"], "too few or too many items that fit `contains`"),
        ({"not": {"type": "string"}}, "x", "is what the schema excludes with `not`"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "name does not fit `propertyNames`"),
        ({"oneOf": [{"minimum": 1}, {"maximum": 9}]}, 5, "several of the alternatives, of which"),
        ({"anyOf": [{"type": "null"}, {"type": ["string"]}]}, 5, "are of type null, string"),
        ({"prefixItems": [{}, {"type": "string"}]}, [1, 2], '^/1: 2 is not of type "string"'),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, '"b" is a required'),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, '"b" is a required'),
        ({"patternProperties": {"^a~/": {"type": "null"}}}, {"a~/": 1}, "^/a~0~1: 1 is not of"),
        ({"uniqueItems": True}, [1, 1.0], "non-unique"),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"b": 1}, "closes it with"),
        ({"const": 10**20 + 1}, 10**20, "whole value: "),
    ],
)
def test_each_keyword_has_an_error(schema: dict, value: Any, problem: str):

    found = contract(schema).validate(json.dumps(value)).problem
    assert re.search(problem, found or "it is valid")


def test_a_long_answer_is_judged_exactly():
    schema = {**levels(13), "$defs": levels(13)["$defs"]}
    value: Any = list(range(2_000))
    for _ in range(12):
        value = [value]
    text = json.dumps(value)
    assert count_visits(schema) * len(text) > 25_000_000
    assert contract(schema).validate(text).problem is None


def test_references_that_multiply_without_end_are_refused():
    with pytest.raises(ValueError, match="multiply from level to level"):
        GuidedDecodingParams(json=levels(60))
    assert count_visits(tagged("anyOf")["$defs"]["e"] | tagged("anyOf")) < 100


NAMES = st.sampled_from(["a", "b", "ab"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([1.0, 0.5, "", "a", "é"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
PLAIN = st.one_of(
    st.booleans(),
    st.sampled_from(["integer", "number", "string", "null", "array", "object"]).map(
        lambda name: {"type": name}
    ),
    SCALARS.map(lambda value: {"const": value}),
    st.just({"minimum": 1}),
    st.just({"required": ["a"]}),
    st.just({"maxItems": 1, "maxLength": 0, "maxProperties": 1}),
    st.just({"uniqueItems": True}),
    st.just({"$ref": "#/$defs/x"}),
)


def _joined(inner: st.SearchStrategy) -> st.SearchStrategy:
    two = st.lists(inner, min_size=1, max_size=3)
    keywords = {
        **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), two),
        **dict.fromkeys(("not", "if", "then", "else", "items", "contains"), inner),
        **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), inner),
        **dict.fromkeys(("unevaluatedItems",), inner),
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "patternProperties": st.dictionaries(st.just("^a"), inner),
        "dependentSchemas": st.dictionaries(NAMES, inner, max_size=2),
    }
    return st.fixed_dictionaries({}, optional=keywords)


@given(st.recursive(PLAIN, _joined, max_leaves=8), VALUES)
def test_verdicts_are_those_of_another_validator(schema: Any, value: Any):
    shared = {"x": {"properties": {"a": {"$ref": "#/$defs/x"}}, "minProperties": 1}}
    whole = {"allOf": [schema], "$defs": shared}
    verdict = contract(whole).validate(json.dumps(value))
    assert (verdict.problem is None) == jsonschema.Draft202012Validator(whole).is_valid(value)
