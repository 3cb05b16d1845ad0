"""The guide's three batch blocks as they are written there, at an API and on this machine."""

from __future__ import annotations

import time

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.inference import (
    InferenceEngine,
    LlamaCppInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
    SGLangInferenceEngine,
)
from tests.batch.api import expected, rows
from tests.conftest import answers
from tests.fault_server import FaultServer


@pytest.fixture
def api(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """The server as the one that the environment names."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-guide")
    return server


def submit_look_and_collect(
    engine_type: type[InferenceEngine], model: str, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """What the blocks print, the second one until the job has ended."""
    config = InferenceConfig(
        model=ModelParams(model_name=model),
        remote_params=RemoteParams(
            batch_completion_window="24h"  # Time window for processing
        ),
    )

    engine = engine_type(model_params=config.model, remote_params=config.remote_params)

    # Prepare batch of conversations
    conversations = [
        Conversation(messages=[Message(content="What is 2+2?", role=Role.USER)]),
        Conversation(messages=[Message(content="What is the capital of France?", role=Role.USER)]),
    ]

    # The only difference with online inference is using `infer_batch` instead of `infer`
    batch_id = engine.infer_batch(conversations, config)

    while True:
        status = engine.get_batch_status(batch_id, config)
        print(f"Progress: {status.completed_requests}/{status.total_requests}")
        print(f"Status: {status.status}")
        if status.status == "completed":
            break
        time.sleep(0.05)

    # Get results for completed batch
    results = engine.get_batch_results(batch_id, conversations, config)

    # Process results
    for conv in results:
        print(f"Question: {conv.messages[-2].content}")  # User message
        print(f"Answer: {conv.messages[-1].content}")  # Assistant response
        print()
    engine.close()
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("kind", [OpenAIInferenceEngine, RemoteInferenceEngine])
def test_at_an_api(api: FaultServer, kind: type[InferenceEngine], capsys):
    assert submit_look_and_collect(kind, "gpt-4", capsys)[-8:] == [
        "Progress: 2/2",
        "Status: completed",
        "Question: What is 2+2?",
        "Answer: answer to What is 2+2?",
        "",
        "Question: What is the capital of France?",
        "Answer: answer to What is the capital of France?",
        "",
    ]
    [batch] = api.batches()["batches"]
    assert batch["completion_window"] == "24h"


def test_on_this_machine(capsys):
    said = submit_look_and_collect(LlamaCppInferenceEngine, "oumi-tiny", capsys)
    assert said[-8:-5] == ["Progress: 2/2", "Status: completed", "Question: What is 2+2?"]
    assert said[-4:-2] == ["", "Question: What is the capital of France?"]
    assert "Paris" in said[-2]


def test_a_server_without_batches_is_worked_off_from_here(api: FaultServer, capsys):
    api.plan(batch={"offered": False})
    said = submit_look_and_collect(RemoteInferenceEngine, "m", capsys)
    assert said[-7:-5] == ["Status: completed", "Question: What is 2+2?"]
    assert api.stats()["rows"]["What is 2+2?"] == [1, 1], "asked one by one"


def test_an_engine_without_batches_asks_for_none(api: FaultServer):
    remote = RemoteParams(api_url=api.api_url)
    with SGLangInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        batch_id = engine.infer_batch(rows(2))
        engine.wait_for_batch(batch_id, poll_interval_s=0.05)
        assert answers(engine.get_batch_results(batch_id)) == expected(range(2))
    assert not api.batches()["counts"]
