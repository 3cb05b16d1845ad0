"""What follows from the answers of a row so far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.core.types import FinishReason, Message, Role, ToolCall
from oumi.core.types.completion import Completion, Structured, Usage
from oumi.structured.contract import Contract, make_contract
from oumi.structured.loops import find_loop
from oumi.structured.outcome import AskAgain, Invalid, Outcome, outcome_of

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
GOOD, WRONG, HALF = '{"x": 1}', '{"x": "one"}', '{"x": '
LENGTH, STOP = FinishReason.LENGTH, FinishReason.STOP


def contract(max_repairs: int = 1) -> Contract:
    guided = GuidedDecodingParams(json=SCHEMA, max_repairs=max_repairs)
    return make_contract(GenerationParams(guided_decoding=guided, max_new_tokens=100))


def answer(text: str, reason: FinishReason = STOP, tokens: int = 7) -> Completion:
    message = Message(role=Role.ASSISTANT, content=text)
    return Completion(message, reason, Usage(10, tokens))


def after(answers: list[Completion], max_repairs: int = 1) -> Outcome:
    *earlier, last = answers
    chain = Completion(last.message, last.finish_reason, last.usage, earlier=tuple(earlier))
    return outcome_of(contract(max_repairs), chain)


def test_an_answer_that_fits_stays_as_it_is():
    outcome = after([answer(GOOD)])
    assert outcome.message.content == GOOD
    assert outcome.structured is Structured.NATIVE
    assert outcome.raw_content is None


def test_an_invalid_answer_is_shown_to_the_model():
    outcome = after([answer(WRONG)])
    shown, request = outcome.messages
    assert (shown.role, shown.content) == (Role.ASSISTANT, WRONG)
    assert request.role == Role.USER
    assert '/x: "one" is not of type "integer"' in request.content
    assert '"required":["x"]' in request.content
    assert outcome.max_new_tokens == 100


def test_a_repaired_answer_counts_all_tokens():
    outcome = after([answer(WRONG, tokens=5), answer(GOOD, tokens=3)])
    assert outcome.structured is Structured.REPAIRED
    assert outcome.usage == Usage(20, 8)
    assert outcome.earlier == ()


def test_repairs_are_bounded():
    for max_repairs in range(4):
        answers = [answer(WRONG)]
        while isinstance(outcome := after(answers, max_repairs), AskAgain):
            answers.append(answer(WRONG))
        assert isinstance(outcome, Invalid)
        assert len(answers) == 1 + max_repairs


def test_only_the_last_invalid_answer_is_shown():
    outcome = after([answer(WRONG), answer("what?")], max_repairs=2)
    shown, _ = outcome.messages
    assert shown.content == "what?"


def test_an_empty_answer_is_shown_as_text():
    outcome = after([answer("")])
    assert outcome.messages[0].content == "(no text)"
    assert outcome.problem == "the answer is empty"


def test_what_was_cut_off_gets_a_larger_budget_once():
    first = after([answer(HALF, LENGTH)])
    assert (first.messages, first.max_new_tokens) == ((), 200)
    assert after([answer(HALF, LENGTH), answer(GOOD)]).structured is Structured.NATIVE
    second = after([answer(HALF, LENGTH), answer(HALF, LENGTH, tokens=200)])
    assert "cut off after 200 tokens" in second.reason
    assert "raise max_new_tokens" in second.reason


def test_a_repair_that_was_cut_off_is_repeated_with_a_larger_budget():
    outcome = after([answer(WRONG), answer(HALF, LENGTH)])
    assert outcome.messages == after([answer(WRONG)]).messages
    assert outcome.max_new_tokens == 200
    wide = after([answer(HALF, LENGTH), answer(WRONG)])
    assert wide.max_new_tokens == 200, "what needed a larger budget once needs it again"
    assert wide.messages[0].content == WRONG


def test_a_complete_value_that_was_cut_off_after_it_fits():
    assert isinstance(after([answer(GOOD + "\n" * 80, LENGTH)]), Completion)


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        ('{"x": 1,' + " \n" * 400, "white space"),
        ('{"x": [' + "0, " * 200, "'0, '"),
        ('{"x": "' + "ha" * 100, "'ha'"),
    ],
)
def test_a_loop_is_not_given_a_larger_budget(text: str, loop: str):
    outcome = after([answer(text, LENGTH, tokens=100)])
    assert isinstance(outcome, Invalid)
    assert outcome.reason == (
        f"the answer was cut off after 100 tokens, in an endless run of {loop}"
    )


@given(st.text(max_size=40), st.text(min_size=1, max_size=100))
def test_every_loop_is_found(before: str, piece: str):
    assert find_loop(before + piece * 512) is not None


def test_a_long_list_is_no_loop():
    assert find_loop(str(list(range(1000)))) is None
    assert find_loop("") is None


def test_a_refusal_is_not_argued_with():
    outcome = after([answer("I cannot help.", FinishReason.CONTENT_FILTER)], max_repairs=5)
    assert outcome == Invalid("the answer was withheld or refused: I cannot help.")
    assert "no reason" in after([answer("", FinishReason.CONTENT_FILTER)]).reason


def test_an_answer_that_calls_tools_is_taken_as_it_is():
    call = ToolCall.model_validate({"id": "1", "function": {"name": "f", "arguments": "{}"}})
    message = Message(role=Role.ASSISTANT, tool_calls=[call])
    outcome = outcome_of(contract(), Completion(message, FinishReason.TOOL_CALLS))
    assert outcome.message is message
    assert outcome.structured is None


def test_without_repairs_nothing_is_asked_again():
    for text, reason in ((WRONG, STOP), (HALF, LENGTH), ("", STOP)):
        assert isinstance(after([answer(text, reason)], max_repairs=0), Invalid)


KINDS = st.sampled_from([(WRONG, STOP), (HALF, LENGTH), (GOOD, STOP), ("", STOP), ("x", LENGTH)])


@given(st.lists(KINDS, min_size=12, max_size=12), st.integers(0, 4))
def test_every_row_ends_soon_and_counts_all_its_tokens(kinds: list, max_repairs: int):
    answers: list[Completion] = []
    for text, reason in kinds:
        answers.append(answer(text, reason))
        outcome = after(answers, max_repairs)
        if not isinstance(outcome, AskAgain):
            break
        assert outcome.max_new_tokens <= 200
    assert not isinstance(outcome, AskAgain)
    assert len(answers) <= (max_repairs + 2 if max_repairs else 1)
    if isinstance(outcome, Completion):
        assert outcome.usage == sum((a.usage for a in answers), Usage())


def test_a_row_survives_the_journal():
    chain = Completion(answer(WRONG).message, earlier=(answer(HALF, LENGTH), answer(WRONG)))
    assert Completion.from_dict(chain.to_dict()) == chain
