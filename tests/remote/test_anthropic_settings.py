"""Settings of the messages dialect: what each model takes, and in which form."""

from __future__ import annotations

import pytest

from oumi.backends.remote.dialects import anthropic
from oumi.backends.remote.model_families import check_family, family_of
from oumi.errors import ConfigError, UnsupportedError
from tests.conftest import ask
from tests.remote.talks import settings, tool_talk
from tests.remote.test_anthropic_dialect import MIDDLE, NEW, OLD, SAMPLING, SCHEMA, body_of


def test_a_schema_in_its_native_form():
    kwargs = {"output_config": {"effort": "low"}}
    body = body_of(ask("Hi"), settings(MIDDLE, kwargs, guided_decoding=SCHEMA))
    assert body["output_config"]["effort"] == "low"
    form = body["output_config"]["format"]
    assert (form["type"], form["schema"]["type"]) == ("json_schema", "object")


def test_a_schema_as_a_tool_for_models_that_know_no_other_form():
    config = settings(OLD, guided_decoding=SCHEMA)
    body = body_of(ask("Hi"), config)
    assert body["tool_choice"] == {"type": "tool", "name": "answer"}
    assert [tool["name"] for tool in body["tools"]] == ["answer"]
    with pytest.raises(UnsupportedError, match="cannot have tools"):
        body_of(tool_talk(), config)
    with pytest.raises(UnsupportedError, match="while it thinks"):
        anthropic.check(settings(OLD, {"thinking": {"type": "adaptive"}}, guided_decoding=SCHEMA))


@pytest.mark.parametrize(
    ("model", "generation", "kwargs", "sent"),
    [
        (NEW, {}, {}, {}),
        (NEW, {"temperature": 1.0}, {}, {}),
        (MIDDLE, {}, {}, {"temperature": 0.0}),
        (MIDDLE, {"top_p": 0.9}, {}, {"top_p": 0.9}),
        (MIDDLE, {"temperature": 0.3, "top_k": 5}, {}, {"temperature": 0.3, "top_k": 5}),
        (MIDDLE, {}, {"thinking": {"type": "adaptive"}}, {}),
        ("claude-3-haiku", {"top_p": 0.9}, {}, {"temperature": 0.0, "top_p": 0.9}),
    ],
)
def test_sampling_and_the_version_that_takes_it(model, generation, kwargs, sent):
    config = settings(model, kwargs, **generation)
    body = body_of(ask("Hi"), config)
    assert {name: body[name] for name in SAMPLING & body.keys()} == sent
    version = anthropic.headers(config)["anthropic-version"]
    assert version == ("2023-06-01" if sent else "2026-10-21")


def test_betas_are_a_header():
    config = settings(NEW, {"betas": ["a-2026-01-01", "b"]})
    assert anthropic.headers(config)["anthropic-beta"] == "a-2026-01-01,b"
    assert "betas" not in body_of(ask("Hi"), config)


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


@pytest.mark.parametrize(
    ("model", "kwargs", "generation", "error", "reason"),
    [
        (NEW, {"system": "x"}, {}, ConfigError, "system: use a system message"),
        (NEW, {"temperature": 0.5}, {}, ConfigError, r"use generation\.temperature"),
        (NEW, {"betas": "x"}, {}, ConfigError, "expected a list"),
        (NEW, {}, {"temperature": 0.5}, UnsupportedError, r"does not take generation\.temp"),
        (NEW, {}, {"top_k": 5}, UnsupportedError, r"does not take generation\.top_k"),
        (MIDDLE, {}, {"temperature": 1.5}, UnsupportedError, "from 0 to 1"),
        (MIDDLE, {}, {"temperature": 0.5, "top_p": 0.5}, UnsupportedError, "not both"),
        (MIDDLE, THINKING, {}, ConfigError, "less than"),
        (
            MIDDLE,
            THINKING,
            {"max_new_tokens": 2000, "temperature": 0.5},
            UnsupportedError,
            "temperature while it thinks",
        ),
        (
            MIDDLE,
            THINKING,
            {"max_new_tokens": 2000, "top_k": 1},
            UnsupportedError,
            "top_k while it thinks",
        ),
        (
            NEW,
            {"thinking": {"type": "adaptive"}},
            {"tool_choice": "required"},
            UnsupportedError,
            "made to call a tool",
        ),
    ],
)
def test_settings_that_cannot_be(model, kwargs, generation, error, reason):
    with pytest.raises(error, match=reason):
        anthropic.check(settings(model, kwargs, **generation))


def test_thoughts_between_tools_may_be_longer_than_an_answer():
    anthropic.check(settings(MIDDLE, {**THINKING, "betas": ["interleaved-thinking-2025-05-14"]}))


@pytest.mark.parametrize(
    ("names", "takes_sampling", "knows_schemas", "later_system"),
    [
        (("claude-3-5-haiku-20241022", "anthropic.claude-v2:1"), True, False, False),
        (
            ("claude-opus-4-20250514", "us.anthropic.claude-sonnet-4-20250514-v1:0", OLD),
            True,
            False,
            False,
        ),
        (
            ("claude-haiku-4-5-20251001", "global.anthropic.claude-opus-4-6-v1"),
            True,
            True,
            False,
        ),
        (("claude-opus-4-7", "claude-sonnet-5"), False, True, False),
        (("claude-opus-4-8", "claude-sonnet-5-5", "claude-fable-5", NEW), False, True, True),
        (("amazon.nova-pro-v1:0",), True, True, True),
    ],
)
def test_families_of_models(names, takes_sampling, knows_schemas, later_system):
    for name in names:
        family = family_of(name)
        assert ("top_k" not in family.fixed) is takes_sampling, name
        assert (family.json_schema, family.later_system) == (knows_schemas, later_system), name
        check_family(name, settings(name).generation)
