"""Expressions for all texts but some, without the look-ahead that samplers do not have."""

from __future__ import annotations

from collections.abc import Collection

from oumi.core.json_schema.regex_forms import ANY_TEXT

_SPECIAL = frozenset("\\^$.|?*+()[]{}/-")
# Each prefix of a text becomes an alternative, so the expression grows with the square of the
# length: beyond this a sampler's automaton takes longer than checking answers would.
_MAX_CHARACTERS = 2_000


def escape_text(text: str) -> str:
    """An expression that matches exactly this text, in ECMA's dialect as in Rust's."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


def all_but(texts: Collection[str]) -> str | None:
    """An anchored expression that matches every text except these; None where it grows too large.

    A text is another one if it leaves all of them at some letter, ends before them, or goes on
    after one.
    """
    if sum(map(len, texts)) > _MAX_CHARACTERS:
        return None
    following: dict[str, set[str]] = {"": set()}
    for text in texts:
        for end in range(len(text)):
            following.setdefault(text[:end], set()).add(text[end])
        following.setdefault(text, set())
    ways = []
    for prefix, letters in following.items():
        start = escape_text(prefix)
        if prefix not in texts:
            ways.append(start)
        listed = "".join(map(escape_text, sorted(letters)))
        ways.append(f"{start}[^{listed}]{ANY_TEXT}" if letters else rf"{start}[\s\S]{ANY_TEXT}")
    return f"^(?:{'|'.join(ways)})$"
