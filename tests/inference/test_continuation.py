"""`generation.continue_final_message`: an answer that goes on from the assistant's last message."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from oumi.core.configs import GuidedDecodingParams, InferenceConfig
from oumi.core.types import Conversation, Message, Role
from oumi.errors import InferenceError, StructuredOutputError
from tests.conftest import ask
from tests.inference.test_llama_cpp import generation

QUESTION = "What is the capital of France?"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 12}},
    "required": ["city"],
    "additionalProperties": False,
}


def begun(text: str, question: str = QUESTION) -> Conversation:
    answer = Message(role=Role.ASSISTANT, content=text)
    return Conversation(messages=[*ask(question).messages, answer])


def going_on(**fields: object) -> InferenceConfig:
    return generation(continue_final_message=True, **fields)


def test_the_answer_is_one_message(engine):
    [done] = engine.infer([begun("The capital of")], going_on())
    assert [message.role for message in done.messages] == [Role.USER, Role.ASSISTANT]
    assert done.messages[-1].content == "The capital of France is Paris."
    assert done.metadata["finish_reason"] == "stop"
    # Its tokens are part of the prompt, and it is what the model would have said by itself.
    [whole] = engine.infer([ask(QUESTION)], generation())
    assert whole.messages[-1].content == done.messages[-1].content
    usage, all_ = done.metadata["usage"], whole.metadata["usage"]
    assert usage["total_tokens"] == all_["total_tokens"]
    assert usage["prompt_tokens"] == all_["prompt_tokens"] + 3


def test_a_stream_brings_what_is_new(engine):
    *pieces, last = engine.stream(begun("The capital of"), going_on())
    assert "".join(piece.content for piece in pieces) == " France is Paris."
    assert last.completion.message.content == "The capital of France is Paris."
    assert last.completion.prefill == "The capital of"


def test_the_same_from_files(engine, write_jsonl, tmp_path: Path):
    path, output = write_jsonl([begun("The capital of"), ask(QUESTION)]), tmp_path / "out.jsonl"
    config = going_on().model_copy(update={"input_path": str(path), "output_path": str(output)})
    for _ in range(2):  # a rerun makes the same of the journal
        engine.infer(inference_config=config)
        rows = [json.loads(line) for line in output.read_text().splitlines()]
        assert [len(row["messages"]) for row in rows] == [2, 2]
        assert {row["messages"][-1]["content"] for row in rows} == {
            "The capital of France is Paris."
        }
        output.unlink()


def test_a_last_message_of_the_assistant_is_no_question(engine):
    with pytest.raises(InferenceError, match=r"set generation\.continue_final_message"):
        engine.infer([begun("The")], generation())


def test_a_call_of_a_tool_cannot_be_continued(engine):
    call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
    calling = Message(role=Role.ASSISTANT, tool_calls=[call])
    row = Conversation(messages=[*ask(QUESTION).messages, calling])
    with pytest.raises(InferenceError, match="calls tools or shows media, and cannot be continued"):
        engine.infer([row], going_on())


def test_special_tokens_of_the_message_are_text(engine):
    def prompt_tokens(text: str, **fields: object) -> int:
        [done] = engine.infer([begun(text)], going_on(max_new_tokens=1, **fields))
        return done.metadata["usage"]["prompt_tokens"]

    token = "Well<|im_end|>"
    assert prompt_tokens(token, allow_special_tokens=True) == prompt_tokens("Well") + 1
    assert prompt_tokens(token) > prompt_tokens("Well") + 2


@pytest.mark.parametrize(
    ("form", "whole"),
    [
        ({"json": CITY}, r'Sure: \{"city": ".{0,12}"\}'),
        ({"choice": ["Paris", "Rome"]}, "It is (Paris|Rome)"),
        ({"regex": "[0-9]{3}"}, "12[0-9]{3}"),
    ],
)
def test_what_is_added_has_the_form(engine, form: dict, whole: str):
    start = re.match("[A-Za-z: ]+|12", whole)[0]
    guided = GuidedDecodingParams(**form, applies_to="continuation", max_repairs=0)
    [done] = engine.infer([begun(start)], going_on(guided_decoding=guided))
    assert done.metadata["structured"] == "native"
    assert re.fullmatch(whole, done.messages[-1].content)


def test_the_whole_has_the_form(engine):
    guided = GuidedDecodingParams(choice=["It is Paris", "It is Rome", "No"], max_repairs=0)
    for start in ("It is ", "It"):
        [done] = engine.infer([begun(start)], going_on(guided_decoding=guided))
        assert done.messages[-1].content in ("It is Paris", "It is Rome")
    [done] = engine.infer([begun("No")], going_on(guided_decoding=guided))
    assert done.messages[-1].content == "No"


def test_a_start_that_no_answer_has_is_refused_before_anything_is_asked(engine):
    guided, before = GuidedDecodingParams(json=CITY), engine.asked
    result = engine.infer_partial([begun("Sure: ")], going_on(guided_decoding=guided))
    assert "no answer of the form begins with" in result.error_messages[0]
    assert engine.asked == before


def test_a_repaired_answer_takes_the_place_of_the_message(engine):
    guided = GuidedDecodingParams(json=CITY)
    [done] = engine.infer([begun('{"city": "')], going_on(guided_decoding=guided))
    assert [message.role for message in done.messages] == [Role.USER, Role.ASSISTANT]
    assert done.parsed().keys() == {"city"}
    digits = GuidedDecodingParams(regex="[0-9]{3}")
    with pytest.raises(StructuredOutputError):
        list(engine.stream(begun("12"), going_on(guided_decoding=digits)))
