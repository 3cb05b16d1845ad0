"""How NATIVE reads the tokens of an answer: whole and in pieces, fed one by one."""

from __future__ import annotations

from typing import Any

import pytest

transformers = pytest.importorskip("transformers")
pytest.importorskip("torch")

from oumi.backends.local.native.detokenizer import Reader  # noqa: E402
from oumi.backends.local.native.prompt import Prompt  # noqa: E402
from oumi.core.types import Completion, Delta, FinishReason, Message  # noqa: E402
from oumi.models import TINY  # noqa: E402
from oumi.runner.request import Request  # noqa: E402
from tests.conftest import ask  # noqa: E402
from tests.engines.asking import generation  # noqa: E402

TOKENIZER = transformers.AutoTokenizer.from_pretrained(TINY / "hf")


def read(written: str, prompt: str = "", **fields: object) -> tuple[Completion, list[Delta]]:
    """The answer and the pieces of a text, of which each character is a step."""
    ids = TOKENIZER.encode(prompt, add_special_tokens=False)
    reader = Reader(Prompt(Request(ask("Hi"), generation(**fields)), ids), TOKENIZER)
    taken: list[int] = []
    pieces: list[Delta | None] = []
    for character in written:
        taken += TOKENIZER.encode(character, add_special_tokens=False)
        if reader.is_stopped(taken):
            break
        pieces.append(reader.piece(taken))
    whole = reader.whole(taken, FinishReason.STOP, [])
    return whole, [piece for piece in (*pieces, *reader.end(whole)) if piece]


def assert_pieces_make(message: Message, pieces: list[Delta]) -> None:
    assert "".join(piece.content for piece in pieces) == message.content
    assert "".join(piece.reasoning_content for piece in pieces) == (message.reasoning_content or "")
    assert pieces[-1].completion.message == message


@pytest.mark.parametrize(
    ("written", "thought", "content"),
    [
        ("<think>Two and two.</think>\n\nFour.", "Two and two.", "Four."),
        ("<think>\nno end", "no end", ""),
        ("<thing> is no thought", None, "<thing> is no thought"),
        ("Grüße, 世界 🌍!", None, "Grüße, 世界 🌍!"),
    ],
)
def test_thoughts_are_no_part_of_the_answer(written: str, thought: str | None, content: str):
    whole, pieces = read(written)
    assert whole.message.reasoning_content == thought
    assert whole.message.content == content
    assert_pieces_make(whole.message, pieces)
    assert not any("�" in piece.content for piece in pieces)


def test_a_thought_that_the_prompt_begins():
    whole, pieces = read("Two.</think>Four.", prompt="<|im_start|>assistant\n<think>\n")
    assert (whole.message.reasoning_content, whole.message.content) == ("Two.", "Four.")
    assert_pieces_make(whole.message, pieces)


@pytest.mark.parametrize("stops", [["STOP"], ["\n\n", "STO"], ["ß, S", "OP"], ["never", "P!"]])
def test_no_piece_holds_the_beginning_of_a_stop_string(stops: list[str]):
    written = "Some SToPs, a\nline, Gruß, STOP! And more.\n\nEnd."
    expected = min((written.partition(stop)[0] for stop in stops), key=len)
    whole, pieces = read(written, stop_strings=stops)
    assert whole.message.content == expected
    assert_pieces_make(whole.message, pieces)


def test_what_may_become_a_stop_string_waits() -> Any:
    _, pieces = read("ab<en>cd", stop_strings=["<end>"])
    assert [piece.content for piece in pieces] == ["a", "b", "<en>", "c", "d", ""]
