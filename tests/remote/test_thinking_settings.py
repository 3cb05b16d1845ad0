"""The settings of thinking, as models of Anthropic and those behind Converse take them."""

from __future__ import annotations

from typing import Any

import pytest

from oumi.errors import ConfigError, UnsupportedError
from tests.conftest import ask
from tests.remote import test_anthropic_dialect as anthropic
from tests.remote import test_bedrock_dialect as bedrock
from tests.remote.sdk_types import operation, problem
from tests.remote.talks import settings

NEW, SONNET_4_6, SONNET_4_5 = "claude-opus-5-5", "claude-sonnet-4-6", "claude-sonnet-4-5"
ADAPTIVE = {"thinking": {"type": "adaptive", "display": "summarized"}}
OFF = {"thinking": {"type": "disabled"}}


def budget(tokens: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (NEW, {"enable_thinking": True}, ADAPTIVE),
    (NEW, {"enable_thinking": False}, {}),
    (NEW, {"reasoning_effort": "none"}, {}),
    (NEW, {"reasoning_effort": "high"}, {**ADAPTIVE, "output_config": {"effort": "high"}}),
    (NEW, {"reasoning_effort": "minimal"}, {**ADAPTIVE, "output_config": {"effort": "low"}}),
    (SONNET_4_6, {"enable_thinking": True}, ADAPTIVE),
    (SONNET_4_6, {"max_thinking_tokens": 2000}, budget(2000)),
    (SONNET_4_6, {"enable_thinking": False}, OFF),
    (SONNET_4_5, {"enable_thinking": True}, budget(5000)),
    (SONNET_4_5, {"reasoning_effort": "medium"}, budget(4096)),
    (SONNET_4_5, {"max_thinking_tokens": 2000, "reasoning_effort": "high"}, budget(2000)),
    (SONNET_4_5, {"max_thinking_tokens": 0}, OFF),
    ("claude-3-7-sonnet-20250219", {"enable_thinking": True}, budget(5000)),
]


@pytest.mark.parametrize(("model", "generation", "fields"), CASES)
def test_models_of_anthropic(model: str, generation: dict, fields: dict):
    config = settings(model, max_new_tokens=10_000, **generation)
    body = anthropic.body_of(ask("Hi"), config)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == fields
    anthropic.WHOLE.validate_python(body)
    if fields not in ({}, OFF):  # such a model takes no temperature
        assert "temperature" not in body


@pytest.mark.parametrize(
    ("model", "generation", "fields"),
    [(f"us.anthropic.{model}-v1:0", generation, fields) for model, generation, fields in CASES]
    + [
        ("openai.gpt-oss-120b-1:0", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        (
            "us.amazon.nova-2-lite-v1:0",
            {"reasoning_effort": "low"},
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
        ),
        (
            "us.amazon.nova-2-lite-v1:0",
            {"enable_thinking": False},
            {"reasoningConfig": {"type": "disabled"}},
        ),
    ],
)
def test_models_behind_converse(model: str, generation: dict, fields: dict):
    body = bedrock.body_of(ask("Hi"), settings(model, max_new_tokens=10_000, **generation))
    assert body.get("additionalModelRequestFields", {}) == fields
    assert problem({"modelId": model, **body}, operation("Converse").input_shape) == ""


def test_the_form_of_an_answer_goes_beside_the_effort():
    config = settings(
        NEW, {"output_config": {"x": 1}}, reasoning_effort="low", guided_decoding=anthropic.SCHEMA
    )
    sent = anthropic.body_of(ask("Hi"), config)["output_config"]
    assert (sent["effort"], sent["x"], sent["format"]["type"]) == ("low", 1, "json_schema")


@pytest.mark.parametrize(
    ("model", "generation", "error", "reason"),
    [
        (NEW, {"max_thinking_tokens": 2000}, UnsupportedError, "set generation.reasoning_effort"),
        ("claude-3-haiku", {"enable_thinking": True}, UnsupportedError, "does not think"),
        (SONNET_4_5, {"reasoning_effort": "max"}, UnsupportedError, "none of none, minimal, low"),
        (SONNET_4_5, {"max_thinking_tokens": 5}, ConfigError, "takes 0 or from 1,024"),
        (SONNET_4_5, {"enable_thinking": True}, ConfigError, "it has to be less than"),
        (
            NEW,
            {"enable_thinking": False, "reasoning_effort": "high"},
            ConfigError,
            "another setting asks to think",
        ),
        (
            SONNET_4_5,
            {"enable_thinking": True, "max_new_tokens": 9000, "temperature": 0.5},
            UnsupportedError,
            "temperature while it thinks",
        ),
    ],
)
def test_what_a_model_does_not_take_is_said(
    model: str, generation: dict, error: type[Exception], reason: str
):
    with pytest.raises(error, match=reason):
        anthropic.body_of(ask("Hi"), settings(model, **generation))


def test_the_same_said_twice():
    config = settings(NEW, {"thinking": {"type": "adaptive"}}, enable_thinking=True)
    with pytest.raises(ConfigError, match="both say how the model thinks"):
        anthropic.body_of(ask("Hi"), config)


@pytest.mark.parametrize("generation", [{"enable_thinking": True}, {"max_thinking_tokens": 9}])
def test_other_models_behind_converse(generation: dict):
    with pytest.raises(UnsupportedError, match="models of Anthropic do"):
        bedrock.body_of(ask("Hi"), settings("meta.llama3-70b-instruct-v1:0", **generation))
