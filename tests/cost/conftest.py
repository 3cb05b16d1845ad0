"""A model with a known price behind the fault server, which counts tokens by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, Usage
from oumi.inference import OpenAIInferenceEngine
from oumi.runner.cost import find_price
from tests.conftest import ask
from tests.fault_server import FaultServer

MODEL = "gpt-4o-mini"
KEY = "sk-of-the-cost-tests"
MOST_TOKENS = 100
"""Of an answer; the server counts as many as it likes up to here."""

StartEngine = Callable[..., OpenAIInferenceEngine]


def questions(count: int) -> list[Conversation]:
    """Rows of different lengths."""
    return [
        ask(f"row-{i} " + "word " * (i * 7 % 50), conversation_id=f"id-{i}") for i in range(count)
    ]


def settings(**fields: Any) -> InferenceConfig:
    """Short answers."""
    generation = fields.pop("generation", None) or GenerationParams(max_new_tokens=MOST_TOKENS)
    return InferenceConfig(generation=generation, **fields)


def cost_of(server: FaultServer) -> float:
    """Dollars for all that the server has answered, by its own count."""
    stats = server.stats()
    usage = Usage(stats["prompt_tokens"], stats["completion_tokens"])
    cost = find_price(MODEL, "openai").cost(usage)
    assert cost is not None
    return cost


def asked(server: FaultServer) -> int:
    """How many requests the server had."""
    return int(server.stats()["requests"])


@pytest.fixture
def start(server: FaultServer) -> Iterator[StartEngine]:
    """Make an engine of OpenAI's whose API is the fault server."""
    with ExitStack() as engines:

        def new(model: str = MODEL, **remote: Any) -> OpenAIInferenceEngine:
            params = RemoteParams(api_url=server.url, api_key=KEY, **remote)
            engine = OpenAIInferenceEngine(ModelParams(model_name=model), remote_params=params)
            return engines.enter_context(engine)

        yield new
