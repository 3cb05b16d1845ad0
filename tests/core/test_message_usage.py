"""Tokens of an answer on its message: there for whoever looks, and nowhere else."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import LlamaCppInferenceEngine, RemoteInferenceEngine
from tests.conftest import ask, short
from tests.fault_server import FaultServer

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 4, "total_tokens": 15}
ANSWER = Message(role=Role.ASSISTANT, content="4")


def test_an_answer_has_the_tokens_that_the_metadata_has(
    engine: LlamaCppInferenceEngine, tmp_path: Path
):
    [answer] = engine.infer([ask("What is 2+2?")], short())
    assert answer[-1].usage == answer.metadata["usage"]
    assert answer[-1].usage["prompt_tokens"] > 0
    assert [message.usage for message in answer.messages[:-1]] == [None]
    saved = short(output_path=str(tmp_path / "out.jsonl"))
    [from_file] = engine.infer([ask("What is 2+2?")], saved)
    assert from_file[-1].usage == answer[-1].usage
    last = list(engine.stream(ask("What is 2+2?"), short()))[-1]
    assert last.completion.message.usage == last.completion.usage.to_dict()


def test_it_is_no_part_of_what_is_written_or_compared():
    answer = ANSWER.with_usage(USAGE)
    assert (answer.usage, ANSWER.usage) == (USAGE, None)
    assert answer == ANSWER
    assert hash(answer) == hash(ANSWER)
    assert answer.to_dict() == ANSWER.to_dict()
    assert answer.model_dump_json() == ANSWER.model_dump_json()
    assert "tokens" not in repr(answer)
    assert pickle.loads(pickle.dumps(answer)).usage == USAGE
    assert answer.model_copy(update={"content": "5"}).usage == USAGE


def test_it_comes_back_with_the_conversation():
    said = Conversation(messages=[*ask("2+2?").messages, ANSWER], metadata={"usage": USAGE})
    assert said[-1].usage == USAGE
    assert ANSWER.usage is None
    for again in (Conversation.from_dict(said.to_dict()), Conversation.from_json(said.to_json())):
        assert again[-1].usage == USAGE
        assert again.to_json() == said.to_json()


def test_metadata_of_another_kind_is_nobodys_tokens():
    question = ask("2+2?").messages
    for messages, usage in (
        (question, USAGE),
        ([*question, ANSWER], "much"),
        ([*question, ANSWER], {"cpu": 3}),
        ([*question, ANSWER], None),
    ):
        said = Conversation(messages=messages, metadata={"usage": usage})
        assert said[-1].usage is None
        assert said.metadata == {"usage": usage}


def test_a_field_of_that_name_is_kept_and_read():
    answer = Message.model_validate({**ANSWER.to_dict(), "usage": USAGE})
    assert answer.usage == USAGE
    assert answer.to_dict()["usage"] == USAGE


def test_it_is_not_sent_with_the_conversation_and_asks_no_row_again(
    server: FaultServer, tmp_path: Path
):
    remote = RemoteParams(api_url=server.url)
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as api:
        [answer] = api.infer([ask("row-1")])
        goes_on = [*answer.messages, Message(role=Role.USER, content="row-2")]
        chat = Conversation(messages=goes_on)
        assert answer[-1].usage["total_tokens"] > 0
        api.infer([chat], output)
        body = json.loads(server.stats()["last"][-1]["body"])
        assert body["messages"][1] == {"role": "assistant", "content": "answer to row-1"}
        plain = Conversation(messages=[*goes_on[:1], Message(**goes_on[1].to_dict()), goes_on[2]])
        assert plain[1].usage is None
        api.infer([plain], output)
    assert server.stats()["requests"] == 2
