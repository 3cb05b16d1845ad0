"""Every setting of every class: refused, ignored with a warning, or sent."""

from __future__ import annotations

from typing import Any

import pytest

from oumi.backends.provider import Provider
from oumi.backends.registry import check_settings, find_engine
from oumi.backends.remote.api_choice import find_dialect
from oumi.backends.remote.dialects import check_supports
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.types import Message, Role
from oumi.errors import ConfigError, UnsupportedError
from oumi.runner.request import Request
from oumi.structured.schema.adapt import add_instruction
from tests.conftest import ask
from tests.remote.rows import ROWS, api_of, row_id
from tests.remote.talks import TOOL
from tests.setting_values import VALUES, config_of

NEW = "anthropic.claude-sonnet-4-5"
"""A model that takes schemas, whoever serves it."""


@pytest.fixture(params=ROWS, ids=row_id)
def row(request: pytest.FixtureRequest) -> Provider:
    return request.param


SENT_BY_ITSELF = {(name, "generation.continue_final_message") for name in ("ANTHROPIC", "BEDROCK")}
"""What an API does without being told, so that nothing is sent."""


def sent(row: Provider, config: InferenceConfig, *, answered: bool = False) -> tuple[str, bytes]:
    """The path and the body of a request."""
    dialect = find_dialect(row, config)
    tools = [TOOL] if config.generation.apply_chat_template else None
    talk = add_instruction(ask("Hi", tools=tools), dialect.adapted(config, row))
    if answered:
        talk.messages.append(Message(role=Role.ASSISTANT, content="Hello"))
    body = dialect.encode(Request(talk, config), dialect.shared_body(config, row))
    return dialect.path(config), body


@pytest.mark.parametrize("setting", VALUES)
def test_a_setting_is_refused_or_ignored_or_sent(row: Provider, setting: str):
    plain = config_of({"model.model_name": NEW})
    changed = config_of({"model.model_name": NEW, setting: VALUES[setting]})
    try:
        remote = RemoteParams(**api_of(row))
        check_settings(find_engine(row.name), changed.model_copy(update={"remote_params": remote}))
    except UnsupportedError:
        return
    is_same = setting in row.ignores or (row.name, setting) in SENT_BY_ITSELF
    answered = setting == "generation.continue_final_message"
    before, after = (sent(row, config, answered=answered) for config in (plain, changed))
    assert (after == before) is is_same, f"{row.name} drops {setting}"


@pytest.mark.parametrize("setting", VALUES)
def test_beside_a_prompt_as_it_is_too(setting: str):
    """By the row whose server takes most."""
    row = find_provider("REMOTE_VLLM")
    raw = {"model.model_name": NEW, "generation.apply_chat_template": False}
    changed = config_of({**raw, setting: VALUES[setting]})
    try:
        check_settings(find_engine(row.name), changed)
    except UnsupportedError:
        return
    is_same = setting in row.ignores or (setting in raw and changed == config_of(raw))
    assert (sent(row, changed) == sent(row, config_of(raw))) is is_same, f"{setting} is dropped"


def test_what_a_provider_supports_is_what_its_dialect_can_send(row: Provider):
    check_supports(row)
    assert not row.supports & row.ignores


def test_a_setting_that_the_dialect_cannot_send_is_named():
    wrong = Provider(name="ACME", summary="", supports=frozenset({"generation.num_beams"}))
    with pytest.raises(
        ConfigError, match=r"ACME supports generation\.num_beams, which the dialect"
    ):
        check_supports(wrong)


def test_a_form_that_a_server_has_a_field_for_is_sent_in_it(row: Provider):
    grammar: dict[str, Any] = {"generation.guided_decoding.grammar": 'root ::= "yes"'}
    if "generation.guided_decoding.grammar" in row.supports:
        assert b"yes" in sent(row, config_of({"model.model_name": NEW, **grammar}))[1]
