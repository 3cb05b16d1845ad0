"""Bodies with all that a row supports, held against the official SDKs' own types."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from cerebras.cloud.sdk.types.chat import completion_create_params as cerebras
from groq.types.chat import completion_create_params as groq
from mistralai.client.models import ChatCompletionRequest, ChatCompletionStreamRequest
from openai.types.chat import completion_create_params as openai
from pydantic import TypeAdapter

from oumi.backends.provider import Provider
from oumi.backends.remote.dialects import load_dialect
from oumi.backends.remote.providers import PROVIDERS, find_provider
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.runner.request import Request
from tests.remote.sdk_types import known_to
from tests.remote.talks import SCHEMA, SETTINGS
from tests.remote.test_chat_dialect import picture, tool_talk

CHAT_ROWS = [row for row in PROVIDERS if row.dialect == "chat"]
OPENAI = TypeAdapter(openai.CompletionCreateParams)
OWN_TYPES = {
    # stream_options is in Groq's reference, and in its SDK's description of a stream, only.
    "GROQ": (TypeAdapter(groq.CompletionCreateParams), {"stream_options"}),
    "CEREBRAS": (TypeAdapter(cerebras.CompletionCreateParams), set()),
}
BEYOND_OPENAI = {
    "top_k",
    "min_p",
    "stop_token_ids",
    "skip_special_tokens",
    "structured_outputs",  # vLLM
    "provider",  # OpenRouter
}
"""Fields that the servers of open models have besides those of OpenAI."""


def settings_of(row: Provider) -> dict[str, Any]:
    """All sampling settings that the row supports, and a schema."""
    settings = {
        name: value for name, (value, _) in SETTINGS.items() if f"generation.{name}" in row.supports
    }
    if "generation.guided_decoding.json" in row.supports:
        settings["guided_decoding"] = GuidedDecodingParams(json=SCHEMA)
    return settings


def bodies_of(row: Provider, *, stream: bool) -> list[dict[str, Any]]:
    """With tools, and with images where they are taken."""
    dialect, settings = load_dialect(row.dialect), settings_of(row)
    without_tools = {n: v for n, v in settings.items() if "tool" not in n}
    talks = [(tool_talk(), settings)]
    if row.supports_images:
        talks.append((picture(), without_tools))
    bodies = []
    for conversation, chosen in talks:
        config = InferenceConfig(
            model=ModelParams(model_name="m"), generation=GenerationParams(**chosen)
        )
        shared = dialect.shared_body(config, row)
        bodies.append(
            orjson.loads(dialect.encode(Request(conversation, config), shared, stream=stream))
        )
    return bodies


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("row", CHAT_ROWS, ids=lambda row: row.name)
def test_the_official_sdk_takes_every_body(row: Provider, stream: bool):
    for body in bodies_of(row, stream=stream):
        if row.name == "MISTRAL":
            kind = ChatCompletionStreamRequest if stream else ChatCompletionRequest
            known = kind.model_validate(body).model_dump(exclude_unset=True)
            assert known.keys() == body.keys(), "no field that the SDK does not know"
            continue
        types, beyond = OWN_TYPES.get(row.name, (OPENAI, BEYOND_OPENAI))
        common = {name: value for name, value in body.items() if name not in beyond}
        assert known_to(types, common) == common, "no field that the SDK does not know"


def test_what_is_particular_to_a_provider():
    mistral = bodies_of(find_provider("MISTRAL"), stream=True)[0]
    assert mistral["random_seed"] == 4321
    assert not mistral.keys() & {"seed", "stream_options"}
    azure = bodies_of(find_provider("AZURE"), stream=False)[0]
    assert azure["max_completion_tokens"] == 77
    assert "max_tokens" not in azure
    openrouter = bodies_of(find_provider("OPENROUTER"), stream=False)[0]
    assert openrouter["provider"] == {"require_parameters": True}
    openai = bodies_of(find_provider("OPENAI"), stream=False)[0]
    assert not openai.keys() & BEYOND_OPENAI
