"""Hints for mistyped names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names that resemble `name`, at most `most` of them, the most similar first."""
    return difflib.get_close_matches(name, list(known), n=most)


def did_you_mean(
    name: str, known: Iterable[str], *, before: str = "", show: Callable[[str], str] = repr
) -> str:
    """`did you mean 'temperature'?` for `temprature`; empty where no known name resembles it.

    `before` is put in front of a hint. `show` writes out the suggested name; it is quoted by
    default.
    """
    return "".join(f"{before}did you mean {show(guess)}?" for guess in nearest(name, known))
