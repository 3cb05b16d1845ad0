"""Which answers the grammar of tool calls takes: the same one on every local engine."""

from __future__ import annotations

import pytest
from llguidance import LLMatcher

from oumi.backends.local.tool_grammar import calls_grammar
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.runner.request import Request
from oumi.structured.sampler.fit import byte_tokenizer
from tests.conftest import ask
from tests.shapes import WEATHER

CALL = '{"name": "get_weather", "arguments": {"city": "Rome"}}'
MARKED = f"<tool_call>\n{CALL}\n</tool_call>"


def takes(text: str, *, marked: bool, **settings: object) -> bool:
    """Whether a whole answer may be this text."""
    generation = GenerationParams(tool_choice="required", **settings)
    request = Request(ask("Hi", tools=[WEATHER]), InferenceConfig(generation=generation))
    grammar = calls_grammar(request, marked=marked)
    assert grammar is not None
    matcher, letters = LLMatcher(byte_tokenizer(), grammar, log_level=0), list(text.encode())
    return matcher.try_consume_tokens(letters) == len(letters) and matcher.is_accepting()


@pytest.mark.parametrize(
    ("one", "several", "marked"),
    [(MARKED, f"{MARKED}\n{MARKED}", True), (f"[{CALL}]", f"[{CALL}, {CALL}]", False)],
    ids=["marked", "list"],
)
def test_several_calls_only_where_they_are_wanted(one: str, several: str, marked: bool):
    for parallel in (True, False):
        assert takes(one, marked=marked, parallel_tool_calls=parallel)
        assert takes(several, marked=marked, parallel_tool_calls=parallel) is parallel


def test_nothing_but_calls_of_the_tools_there_are():
    for text in ("Hi", MARKED.replace("get_weather", "get_time"), MARKED.replace("city", "town")):
        assert not takes(text, marked=True)
