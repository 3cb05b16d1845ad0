"""JSON and texts with something around them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oumi.structured.extract_json import extract_json
from tests.structured.test_validate import JSON, contract

POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"x": 1}\n```',
        '```\n{"x": 1}```',
        'Sure! Here it is:\n\n```json\n{"x": 1}\n```\nAnything else?',
        'The point is {"x": 1}.',
        'Of {"y": 2} and {"x": 1} the latter.',
        'I think [so]: {"x": 1}',
        '<think>maybe {"x": 7}?</think>\n{"x": 1}',
        '<think>maybe {"x": 7}?</think>```json\n{"x": 1}\n```',
        'Not ```json\n{"y": 2}\n``` but ```json\n{"x": 1}\n```',
        'twice: {"x": 1}, that is {"x": 1}',
    ],
)
def test_the_one_value_that_fits_is_found(text: str):
    verdict = contract(json=POINT).validate(text)
    assert verdict.problem is None
    assert verdict.text == '{"x": 1}'
    assert verdict.extracted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('either {"x": 1} or {"x": 2}', "2 different values"),
        ('```json\n{"x": "one"}\n```', '/x: "one" is not of type'),
        ('```json\n{"x": 1', "not JSON"),
        ("no value here", "not JSON"),
        ('[{"x": 1}]', "whole value"),
        ('"{\\"x\\": 1}"', "whole value"),
    ],
)
def test_what_is_not_clear_is_not_guessed(text: str, problem: str):
    assert problem in contract(json=POINT).validate(text).problem


def test_a_choice_without_its_dress():
    wanted = contract(choice=["not sure", "yes"])
    for text in ("yes", " yes\n", '"yes"', "**yes**", "`yes`", "<think>no?</think>yes"):
        assert wanted.validate(text).text == "yes"
    assert wanted.validate("yes or not sure").problem is not None
    assert not wanted.validate("yes").extracted


@given(JSON.map(lambda value: json.dumps(value)), st.sampled_from(["", "json", "JSON"]))
def test_whatever_is_fenced_comes_out_as_it_was(text: str, language: str):
    if "```" not in text and "Infinity" not in text:
        assert extract_json(f"Here:\n```{language}\n{text}\n```\nDone.") == [text]


OBJECTS = st.dictionaries(st.text(), JSON, max_size=4).map(json.dumps)
WORDS = st.text(st.characters(exclude_characters="{}[]`<", codec="utf-8"))


@given(WORDS, OBJECTS, WORDS)
def test_whatever_stands_between_words_comes_out_as_it_was(before: str, text: str, after: str):
    if "```" not in text and "Infinity" not in text and "</think>" not in text:
        assert extract_json(f"{before} {text} {after}") == [text]


@given(st.text("[{\"'`: ,1x}]\n\\"))
def test_any_text_ends(text: str):
    assert all(json.loads(part) is not ... for part in extract_json(text))


def test_hostile_nesting_ends():
    assert extract_json("a" + "[" * 100_000) == []
    assert extract_json('a {"x": ' * 10_000) == []
