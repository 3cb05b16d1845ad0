"""Final answers: a Completion and its journal record follow the same rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.core.types import Conversation, FinishReason, Message, Role, ToolCall
from oumi.core.types.completion import Completion, Usage, answer_metadata
from oumi.errors import StructuredOutputError
from oumi.structured.contract import Contract, make_contract
from oumi.structured.finish import (
    finish_record,
    is_valid_as_is,
    record_is_valid,
    require_valid,
)

GUIDED = GuidedDecodingParams(json={"type": "integer"})
CALL = ToolCall.model_validate({"id": "1", "function": {"name": "f", "arguments": "{}"}})
PARTS = [{"type": "text", "content": "1"}]


def contract() -> Contract:
    made = make_contract(GenerationParams(guided_decoding=GUIDED))
    assert made is not None
    return made


def _message(content: Any, calls_tools: bool) -> Message:
    calls = [CALL] if calls_tools or content is None else None
    return Message(role=Role.ASSISTANT, content=content, tool_calls=calls)


def _completion(*fields: Any) -> Completion:  # of whose other fields none is to be made up
    return Completion(*fields)


CONTENTS = st.sampled_from(["1", " 1\n", "```\n1\n```", "one", "", None, PARTS])
MESSAGES = st.builds(_message, CONTENTS, st.booleans())
ANSWERS = st.builds(_completion, MESSAGES, st.sampled_from(FinishReason), st.just(Usage(10, 5)))
ROWS = st.builds(
    _completion,
    MESSAGES,
    st.sampled_from(FinishReason),
    st.just(Usage(10, 5)),
    st.sampled_from([None, [{"token": "1"}]]),
    st.lists(ANSWERS, max_size=2).map(tuple),
)


def final(completion: Completion) -> dict[str, Any] | str:
    """The final answer, or why there is none."""
    try:
        return require_valid(contract(), completion).to_dict()
    except StructuredOutputError as error:
        return str(error)


def final_record(completion: Completion) -> dict[str, Any] | str:
    """The same by way of the journal."""
    try:
        return finish_record(contract(), completion.to_dict())
    except StructuredOutputError as error:
        return str(error)


@given(ROWS)
def test_a_record_is_finished_as_its_completion_is(completion: Completion):
    answer = final(completion)
    assert final_record(completion) == answer
    assert record_is_valid(contract(), completion.to_dict()) is isinstance(answer, dict)


@given(ROWS)
def test_what_is_valid_as_is_only_gains_that_it_is_native(completion: Completion):
    if is_valid_as_is(contract(), completion):
        assert final(completion) == {**completion.to_dict(), "structured": "native"}


def test_most_answers_are_valid_as_is():
    message = Message(role=Role.ASSISTANT, content="1")
    assert is_valid_as_is(contract(), Completion(message))
    assert is_valid_as_is(contract(), Completion(message, FinishReason.LENGTH))
    assert not is_valid_as_is(contract(), Completion(message, FinishReason.CONTENT_FILTER))
    assert not is_valid_as_is(contract(), Completion(message, earlier=(Completion(message),)))


def test_without_a_contract_nothing_is_validated():
    completion = Completion(Message(role=Role.ASSISTANT, content="one"))
    record = completion.to_dict()
    assert require_valid(None, completion) is completion
    assert finish_record(None, record) is record


@given(ROWS)
def test_a_record_joins_its_conversation_as_its_completion_does(completion: Completion):
    question = Conversation(messages=[Message(role=Role.USER, content="?")])
    joined = completion.join(question)
    assert answer_metadata({}, completion.to_dict()) == joined.metadata
    assert joined.messages[-1] == completion.message
