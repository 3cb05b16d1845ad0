"""Prompts as they are, through the completions API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from oumi.backends.legacy_logprobs import from_legacy, to_legacy
from oumi.backends.remote.dialects import completions
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, FinishReason, Message, Role
from oumi.errors import InferenceError, RequestError, UnsupportedError
from oumi.inference import GroqInferenceEngine, OpenAIInferenceEngine, RemoteInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer

LEGACY = {
    "tokens": [" a", "é", "!"],
    "token_logprobs": [-0.5, -1.0, -2.0],
    "top_logprobs": [{" a": -0.5, "b": -3.0}, {"é": -1.0}, {}],
    "text_offset": [0, 2, 3],
}


def raw(**fields: Any) -> InferenceConfig:
    generation = GenerationParams(apply_chat_template=False, **fields)
    return InferenceConfig(generation=generation)


@pytest.fixture
def engine(server: FaultServer) -> Iterator[RemoteInferenceEngine]:
    remote = RemoteParams(api_url=server.api_url, retry_backoff_base=0.01)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        yield engine


def test_a_run_asks_prompts_as_they_are(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    config = raw().merge(InferenceConfig(output_path=str(tmp_path / "out.jsonl")))
    done = engine.infer([f"row-{i} begins" for i in range(5)], config)
    assert [row.messages[-1].content for row in done] == [f" answer to row-{i}" for i in range(5)]
    assert {seen["path"] for seen in server.stats()["last"]} == {"/v1/completions"}
    engine.infer([f"row-{i} begins" for i in range(5)], config)
    assert server.stats()["requests"] == 5


def test_a_prompt_and_a_chat_have_other_keys(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    cache = InferenceConfig(cache=str(tmp_path / "cache.sqlite"))
    engine.infer(["row-1"], raw().merge(cache))
    engine.infer(["row-1"], cache)
    engine.infer(["row-1"], raw().merge(cache))
    assert [seen["path"] for seen in server.stats()["last"]] == [
        "/v1/completions",
        "/v1/chat/completions",
    ]


@pytest.mark.parametrize("url", ["/v1/completions", "/v1/chat/completions", "/v1", ""])
def test_an_endpoint_stands_for_its_server(url: str, server: FaultServer):
    remote = RemoteParams(api_url=server.url + url)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        assert engine.complete("row-1", raw()).message.content == " answer to row-1"


@pytest.mark.parametrize(
    "conversation",
    [
        Conversation(messages=[Message(role=Role.SYSTEM, content="Hi")]),
        Conversation(messages=[*ask("a").messages, Message(role=Role.ASSISTANT, content="b")]),
        [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}],
    ],
)
def test_what_is_no_prompt_fails_alone(conversation: Any, engine: RemoteInferenceEngine):
    config = raw(continue_final_message=False)
    with pytest.raises(InferenceError, match="1 of 2 rows failed"):
        engine.infer([conversation, "row-1"], config)


def test_what_cannot_be_is_said_before(server: FaultServer):
    remote = RemoteParams(api_url=server.api_url, api_key="k")
    model = ModelParams(model_name="gpt-4o")
    with (
        GroqInferenceEngine(model, remote_params=remote) as groq,
        pytest.raises(UnsupportedError, match=r"apply_chat_template; engines that can.*OPENAI"),
    ):
        groq.infer(["a"], raw())
    with OpenAIInferenceEngine(model, remote_params=remote) as engine:
        with pytest.raises(UnsupportedError, match="its completions API is asked then"):
            engine.infer(["a"], raw(reasoning_effort="low"))
        with pytest.raises(RequestError, match="a batch of an API takes no prompts"):
            engine.infer_batch(["a"], raw())
    assert server.stats()["requests"] == 0


def test_replies_in_strange_forms():
    def decoded(choice: Any) -> Any:
        body = json.dumps({"choices": [choice]}).encode()
        return completions.decode(body, raw(logprobs=1))

    empty = decoded({"text": "", "finish_reason": "stop"})
    assert (empty.message.content, empty.finish_reason) == ("", FinishReason.STOP)
    assert decoded({"text": "a", "finish_reason": "length"}).usage.total_tokens == 0
    assert decoded({"text": "a", "logprobs": LEGACY}).logprobs == from_legacy(LEGACY)
    for choice in ({}, {"text": None}, "text", {"message": {"content": "a"}}):
        with pytest.raises(BadReplyError):
            decoded(choice)
    with pytest.raises(UnreadableAnswerError):
        decoded({"text": "a", "logprobs": {"tokens": ["a"], "token_logprobs": []}})


def test_log_probabilities_there_and_back():
    assert to_legacy(from_legacy(LEGACY)["content"]) == LEGACY
    bare = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": None}
    assert from_legacy(bare)["content"][0]["top_logprobs"] == []


def test_a_stream_may_be_cut_anywhere():
    values: list[dict[str, Any]] = [
        {"choices": [{"text": "Grüß", "index": 0, "logprobs": None, "finish_reason": None}]},
        {"choices": [{"text": " Gott", "index": 0, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 3}},
    ]
    whole = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in values)
    whole += b"data: [DONE]\n\n"
    for cut in range(len(whole)):
        decoder = completions.stream_decoder(raw())
        parts = [whole[start:end] for start, end in pairwise((0, cut, len(whole)))]
        deltas = [delta for part in parts for delta in decoder.feed(part)]
        last = decoder.last()
        assert "".join(delta.content for delta in [*deltas, last]) == "Grüß Gott"
        assert last.completion.message.content == "Grüß Gott"
        assert last.completion.usage.total_tokens == 5
