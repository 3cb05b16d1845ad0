"""Reasoning that a model writes into its text: `<think>…</think>` before the answer.

Most open models use these markers. Some chat templates already end the prompt with `<think>`, so
that the generated text starts inside the reasoning.
"""

from __future__ import annotations

THINK_START, THINK_END = "<think>", "</think>"

PROMPT_TAIL_TOKENS = 16
"""How many of a prompt's last tokens are decoded to look for an open `<think>`.

Even spelled out byte by byte, the marker and the line breaks after it take no more than that.
"""


def opens_reasoning(prompt_end: str) -> bool:
    """Whether a prompt with this end has the model start inside its reasoning."""
    return prompt_end.rstrip().endswith(THINK_START)


def answer_start(begun: str, *, opens: bool) -> str:
    """What is put behind a prompt so that an answer goes on from `begun`.

    With `opens` the prompt ends inside the reasoning: it is gone on with if `begun` is a thought
    itself, and closed otherwise.
    """
    if not begun or not opens:
        return begun
    if begun.lstrip().startswith(THINK_START):
        return begun.lstrip().removeprefix(THINK_START).lstrip("\n")
    return f"\n{THINK_END}\n\n{begun}"


def split_reasoning(text: str) -> tuple[str | None, str]:
    """The reasoning at the start of a text, and the answer after it.

    The reasoning is None where the text starts with none. Without an end marker (the text was cut
    off) everything is reasoning.
    """
    if not text.lstrip().startswith(THINK_START):
        return None, text
    reasoning, _, answer = text.partition(THINK_START)[2].partition(THINK_END)
    return reasoning.strip(), answer.lstrip()
