"""NATIVE's detokenizer: tokens fed one by one make deltas and a completion that agree."""

from __future__ import annotations

from typing import Any

import pytest

transformers = pytest.importorskip("transformers")
pytest.importorskip("torch")

from oumi.backends.local.chat_template import begin_answer  # noqa: E402
from oumi.backends.local.native.detokenizer import Detokenizer  # noqa: E402
from oumi.backends.local.native.prompt import Prompt  # noqa: E402
from oumi.core.types import Completion, Delta, FinishReason, Message  # noqa: E402
from oumi.models import TINY  # noqa: E402
from oumi.runner.request import Request  # noqa: E402
from tests.conftest import ask  # noqa: E402
from tests.engines.asking import generation  # noqa: E402

TOKENIZER = transformers.AutoTokenizer.from_pretrained(TINY / "hf")


def decode(text: str, prompt: str = "", **fields: object) -> tuple[Completion, list[Delta]]:
    """The completion and the deltas of a text, of which each character is a step."""
    request = Request(ask("Hi"), generation(**fields))
    ids = TOKENIZER.encode(prompt, add_special_tokens=False)
    begun = begin_answer(ids, request, TOKENIZER).begun
    detokenizer = Detokenizer(Prompt(request, ids, begun=begun), TOKENIZER)
    ids = []
    deltas: list[Delta | None] = []
    for character in text:
        ids += TOKENIZER.encode(character, add_special_tokens=False)
        if detokenizer.has_stopped(ids):
            break
        deltas.append(detokenizer.delta(ids))
    completion = detokenizer.completion(ids, FinishReason.STOP, [])
    deltas += detokenizer.last_deltas(completion)
    return completion, [delta for delta in deltas if delta]


def assert_deltas_make(message: Message, deltas: list[Delta]) -> None:
    assert "".join(delta.content for delta in deltas) == message.content
    assert "".join(delta.reasoning_content for delta in deltas) == (message.reasoning_content or "")
    assert deltas[-1].completion.message == message


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("<think>Two and two.</think>\n\nFour.", "Two and two.", "Four."),
        ("<think>\nno end", "no end", ""),
        ("<thing> opens none", None, "<thing> opens none"),
        ("Grüße, 世界 🌍!", None, "Grüße, 世界 🌍!"),
    ],
)
def test_reasoning_is_no_part_of_the_answer(text: str, reasoning: str | None, content: str):
    completion, deltas = decode(text)
    assert completion.message.reasoning_content == reasoning
    assert completion.message.content == content
    assert_deltas_make(completion.message, deltas)
    assert not any("�" in delta.content for delta in deltas)


def test_reasoning_that_the_prompt_opens():
    completion, deltas = decode("Two.</think>Four.", prompt="<|im_start|>assistant\n<think>\n")
    assert (completion.message.reasoning_content, completion.message.content) == ("Two.", "Four.")
    assert_deltas_make(completion.message, deltas)


@pytest.mark.parametrize("stops", [["STOP"], ["\n\n", "STO"], ["ß, S", "OP"], ["never", "P!"]])
def test_no_delta_holds_the_beginning_of_a_stop_string(stops: list[str]):
    text = "Some SToPs, a\nline, Gruß, STOP! And more.\n\nEnd."
    expected = min((text.partition(stop)[0] for stop in stops), key=len)
    completion, deltas = decode(text, stop_strings=stops)
    assert completion.message.content == expected
    assert_deltas_make(completion.message, deltas)


def test_what_may_become_a_stop_string_waits() -> Any:
    _, deltas = decode("ab<en>cd", stop_strings=["<end>"])
    assert [delta.content for delta in deltas] == ["a", "b", "<en>", "c", "d", ""]
