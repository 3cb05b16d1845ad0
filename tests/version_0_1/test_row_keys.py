"""Keys of rows that version 0.1 could read: they are the same, so what is recorded is found."""

from __future__ import annotations

from typing import Any

import pytest

from oumi.core.configs import InferenceConfig
from oumi.core.types import Conversation
from oumi.runner.request import KeyMaker

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
TOOL = {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}
LOOK: list[dict[str, Any]] = [
    {"type": "text", "text": "look"},
    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    {"type": "image_binary", "binary": "iVBORw=="},
    {"type": "image_path", "content": "a.png"},
]
TALKS = {
    "193a8d4c7a1051b3db5ba0754626eef1": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi", "name": "Ann"},
        ]
    },
    "f9563edccd7937f950aa14d65954a6e5": {"messages": [{"role": "user", "content": LOOK}]},
    "f3c7c901f7ccca943532f82edd08fac7": {
        "messages": [
            {"role": "user", "content": "1+2?"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "3"},
            {"role": "assistant", "content": [{"type": "text", "text": "3"}]},
        ],
        "tools": [{"type": "function", "function": TOOL}],
    },
}
"""By their keys, as commit e8d1e67 made them."""


def key(talk: dict[str, Any]) -> str:
    maker = KeyMaker(InferenceConfig(), {"engine": "REMOTE"})
    return maker.key(Conversation.model_validate(talk))


@pytest.mark.parametrize("expected", TALKS)
def test_the_key_is_that_of_version_0_1(expected: str):
    assert key(TALKS[expected]) == expected


def test_what_is_not_sent_is_no_part_of_a_key():
    [expected] = [known for known, talk in TALKS.items() if talk["messages"][0]["content"] is LOOK]
    marked = [{**LOOK[0], "cache_control": {"type": "ephemeral"}, "note": 1}, *LOOK[1:]]
    assert key({"messages": [{"role": "user", "content": marked}]}) == expected


def test_what_shapes_an_answer_is_a_part_of_it():
    url = "https://example.org/a.png"
    keys = {
        key({"messages": [{"role": "user", "content": [{**part, "type": "image_url"}]}]})
        for part in (
            {"image_url": {"url": url}},
            {"image_url": {"url": url, "detail": "low"}},
            {"image_url": {"url": url, "detail": "high"}},
        )
    }
    assert len(keys) == 3
