"""The room that an answer has, for samplers that let it end before its tokens do."""

from __future__ import annotations

from typing import NamedTuple

# English in JSON comes to about four characters a token with a large vocabulary, fewer with others.
_CHARACTERS_A_TOKEN = 3
# What an answer is cut down to where another was cut off: tokens vary in length.
_SAFE_SHARE = 0.8


class Room(NamedTuple):
    """The characters that an answer may take."""

    characters: int
    is_last: bool = False
    """Whether an earlier answer was cut off, so that this one has to end in time."""


def first_room(max_new_tokens: int) -> Room:
    """The room of an answer of which nothing is known."""
    return Room(max_new_tokens * _CHARACTERS_A_TOKEN)


def room_after(text: str, tokens: int, max_new_tokens: int) -> Room:
    """The room of the next answer, given the text of one that was cut off, and its tokens."""
    characters_a_token = len(text) / tokens if tokens and text else _CHARACTERS_A_TOKEN
    return Room(int(max_new_tokens * characters_a_token * _SAFE_SHARE), is_last=True)
