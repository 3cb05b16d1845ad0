"""Detection of answers that repeat one piece of text until they are cut off."""

from __future__ import annotations

# Characters looked at. Each possible period compares the whole tail, so the cost grows with its
# square.
_MAX_TAIL = 512
# In fewer characters, honest text may well repeat some letters four times.
_MIN_TAIL = 48
_MIN_REPETITIONS = 4


def find_loop(text: str) -> str | None:
    """What a text repeats at its end, described for an error message; None if it does not.

    That is white space alone, or one piece at least four times, in the second half of the text, of
    which the last 512 characters are looked at.
    """
    length = min(_MAX_TAIL, len(text) // 2)
    if length < _MIN_TAIL:
        return None
    tail = text[-length:]
    if tail.isspace():
        return "white space"
    for period in range(1, length // _MIN_REPETITIONS + 1):
        if tail[period:] == tail[:-period]:
            return f"{tail[-period:]!r}"
    return None
