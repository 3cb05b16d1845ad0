"""Distributions that are counted without knowing their numbers beforehand."""

from __future__ import annotations

import json
import math
import random
import shlex
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oumi.core.configs import InferenceConfig
from oumi.report.bins import Numbers
from oumi.report.columns import Columns
from oumi.report.command_line import command_of
from oumi.report.failure_groups import _BY_CLASS, _BY_MESSAGE, _BY_STATUS, FailureGroups
from oumi.report.properties import Properties, parse_answer

_NUMBERS = st.one_of(st.floats(-1e30, 1e30).map(lambda n: round(n, 6)), st.integers(-999, 999))


@given(st.lists(_NUMBERS, min_size=1, max_size=300))
@settings(max_examples=200)
def test_bins_count_every_number_once(numbers: list[float]) -> None:
    found = Numbers()
    for number in numbers:
        found.add(number)
    data = found.to_dict()
    assert sum(count for _, count in data["bins"]) == len(numbers)
    assert len(data["bins"]) <= 128
    width = data["width"]
    assert math.log2(width).is_integer()
    for start, count in data["bins"]:
        inside = [n for n in numbers if start <= Fraction(n) < start + Fraction(width)]
        assert len(inside) == count
    assert (data["min"], data["max"]) == (min(numbers), max(numbers))


def test_the_largest_and_smallest_numbers_have_bins() -> None:
    found = Numbers()
    for number in (1e300, -1e300, 5e-324, 0.0):
        found.add(number)
    assert sum(count for _, count in found.to_dict()["bins"]) == 4


def test_whole_numbers_are_known_as_such() -> None:
    found = Numbers()
    for number in (1, 2, 500):
        found.add(number)
    assert found.to_dict()["whole"]
    found.add(0.5)
    assert not found.to_dict()["whole"]


def test_properties_are_counted_by_kind_and_value() -> None:
    found = Properties()
    for i in range(100):
        value = {"kind": "ab"[i % 2], "n": i, "tags": ["x"] * (i % 3), "in": {"ok": i > 50}}
        if i % 4 == 0:
            value["note"] = None
        text = json.dumps(value)
        found.add(text, parse_answer(text))
    found.add("plain", parse_answer("plain"))
    data = found.to_dict()
    by_name = data["by_name"]
    assert data["objects"] == 100
    assert sorted(by_name["kind"]["values"]) == [("a", 50), ("b", 50)]
    assert by_name["n"]["numbers"]["mean"] == 49.5
    assert by_name["tags"]["lengths"]["max"] == 2
    assert by_name["tags[]"]["values"] == [("x", 99)]
    assert dict(by_name["in.ok"]["values"]) == {"true": 49, "false": 51}
    assert by_name["note"]["kinds"] == {"null": 25}


def test_texts_that_are_no_choices_take_bounded_memory() -> None:
    found, words = Properties(), random.Random(1)
    for _ in range(3000):
        text = json.dumps({"text": str(words.random())})
        found.add(text, parse_answer(text))
    text = found.to_dict()["by_name"]["text"]
    assert not text["is_choice"]
    assert text["different"] is None
    assert len(text["values"]) == 30


def test_columns_of_several_kinds_and_late_ones() -> None:
    columns = Columns()
    rows: list[dict[str, Any]] = [
        {"a": 1, "deep": {"x": 1}},
        {"a": 2.5, "b": True},
        {"a": "many", "c": 2**70},
    ]
    for row in rows:
        columns.add({"metadata": row})
    data = columns.to_dict()
    texts = data["metadata:a"]["texts"]
    assert [texts[code] for code in data["metadata:a"]["codes"]] == ["1", "2.5", "many"]
    assert data["metadata:b"] == {"group": "metadata", "codes": [-1, 0, -1], "texts": ["true"]}
    assert data["metadata:c"]["texts"] == [str(2**70)]
    assert "metadata:deep" not in data


def test_settings_that_help_exist() -> None:
    fields = InferenceConfig.model_fields
    named = [settings for settings, _ in [*_BY_STATUS.values(), *_BY_CLASS.values()]]
    named += [settings for _, settings, _ in _BY_MESSAGE]
    for path in {one for group in named for one in group}:
        found = fields
        for part in path.split("."):
            assert part in found, path
            kinds = getattr(found[part].annotation, "__args__", (found[part].annotation,))
            found = next((k.model_fields for k in kinds if hasattr(k, "model_fields")), {})


def test_failures_of_one_reason_stand_together() -> None:
    groups = FailureGroups()
    for i in range(5):
        message = f"status 429: wait {i} s for 'key-{i}'"
        groups.add(i, {"error_class": "UnavailableError", "error_message": message, "attempts": 2})
    groups.add(9, {"error_class": "Odd", "error_message": "The answer was cut off after 5 tokens"})
    found, other = groups.to_list()
    assert (found["count"], found["attempts"], found["rows"]) == (5, 10, [0, 1, 2, 3, 4])
    assert other["help"]["settings"] == ["generation.max_new_tokens"]


@pytest.mark.parametrize("value", ["it's", "a b", '{"x": [1]}', "$HOME"])
def test_the_command_gives_the_settings_back(value: str) -> None:
    settings = {"input_path": value, "output_path": "o.jsonl", "generation": {"seed": 3}}
    command = command_of(settings, "OPENAI")
    assert command is not None
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:2] == ["oumi", "infer"]
    pairs = dict(zip(words[2::2], words[3::2], strict=True))
    assert pairs == {
        "--engine": "OPENAI",
        "--input_path": value,
        "--output_path": "o.jsonl",
        "--generation.seed": "3",
    }
