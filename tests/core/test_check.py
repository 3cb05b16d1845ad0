from __future__ import annotations

import re

import pytest

from oumi.core.configs import GuidedDecodingParams
from oumi.structured.check import find_misfit

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 3}},
    "required": ["name"],
}


@pytest.mark.parametrize(
    ("form", "text", "misfit"),
    [
        ({"json": SCHEMA}, '{"name": "abc"}', None),
        ({"json": SCHEMA}, '{"name": "abcd"}', r"\['name'\]: .*longer than 3"),
        ({"json": SCHEMA}, "{}", "the value: .*required"),
        ({"json": SCHEMA}, '{"name"', "not JSON"),
        ({"choice": ["a", "b"]}, "b", None),
        ({"choice": ["a", "b"]}, "c", "none of the choices"),
        ({"regex": "[0-9]+"}, "12", None),
        ({"regex": "[0-9]+"}, "12x", "does not match"),
        ({"grammar": "start: 'a'"}, "anything", None),
    ],
)
def test_what_is_wrong_is_named(form: dict, text: str, misfit: str | None):
    found = find_misfit(text, GuidedDecodingParams(**form))
    if misfit is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(misfit, found)
