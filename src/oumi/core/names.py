"""Hints for mistyped names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable


def nearest(name: str, known: Iterable[str], most: int = 1, least: float = 0.6) -> list[str]:
    """The known names that resemble `name`, at most `most` of them, the most similar first.

    `least` is how similar they have to be: from 0, any name, to 1, the same one.
    """
    return difflib.get_close_matches(name, list(known), n=most, cutoff=least)


def did_you_mean(
    name: str, known: Iterable[str], *, before: str = "", show: Callable[[str], str] = repr
) -> str:
    """`did you mean 'temperature'?` for `temprature`; empty where no known name resembles it.

    `before` is put in front of a hint. `show` writes out the suggested name; it is quoted by
    default.
    """
    return "".join(f"{before}did you mean {show(guess)}?" for guess in nearest(name, known))
