"""Answers that never come to an end: white space, or one piece, over and over."""

from __future__ import annotations

_TAIL = 512
_SHORTEST = 48


def find_loop(text: str) -> str | None:
    """What an answer that was cut off ends in a loop of, in words; None where it does not.

    Looked at is the second half, at most 512 characters of it: white space only, or a piece at
    least four times.
    """
    length = min(_TAIL, len(text) // 2)
    if length < _SHORTEST:
        return None
    tail = text[-length:]
    if tail.isspace():
        return "white space"
    for period in range(1, length // 4 + 1):
        if tail[period:] == tail[:-period]:
            return f"{tail[-period:]!r}"
    return None
