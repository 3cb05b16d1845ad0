"""Regular expressions in other forms: without what only looks around, and in ECMA's terms."""

from __future__ import annotations

import re

ANY_TEXT = r"[\s\S]*"
_PIECE = re.compile(
    r"\\k<\w+>|\\.|\[\^\]|\[(?:\\.|[^\]\\])+\]|\(\?<?[=!]|[().^$]|[^\\()\[.^$*+?{}]+|.", re.S
)
_QUANTIFIER = re.compile(r"^(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?")
_LOOK = ("(?=", "(?!", "(?<=", "(?<!")
_BORDERS = (r"\b", r"\B")
_BACK_REFERENCE = re.compile(r"\\(?:[1-9]|k<\w+>)")
_ANCHORS = ("^", "$")
# What ECMA means by these, and samplers do not: https://tc39.es/ecma262/#sec-compiletocharset
_ECMA = {".": r"[^\n\r\u2028\u2029]", "[^]": r"[\s\S]"}
_SET_OPERATORS = re.compile(r"&&|--|~~|(?<=.)\[", re.S)


def without_assertions(regex: str, *, anchors: bool = True) -> str:
    r"""The expression without look-around, `\b` and, with `anchors` False, `^` and `$`.

    What only restricts is taken away, so it matches more; a back-reference becomes any text.
    """
    kept: list[str] = []
    depth = 0  # of groups within the look-around that is left out; 0 outside of all
    left_out = False
    for piece in _PIECE.findall(regex):
        if left_out and depth == 0:
            piece = _QUANTIFIER.sub("", piece)
        left_out = depth > 0
        if depth:
            depth += piece.startswith("(") - (piece == ")")
            left_out = True
        elif piece in _LOOK:
            depth, left_out = 1, True
        elif piece in _BORDERS or (not anchors and piece in _ANCHORS):
            left_out = True
        elif _BACK_REFERENCE.fullmatch(piece):
            kept.append(f"(?:{ANY_TEXT})")
        else:
            kept.append(piece)
    return "".join(kept)


def in_ecma_terms(regex: str) -> str:
    """The expression spelt so that samplers read it as ECMA does, whose dialect schemas are in.

    In brackets they would take `[`, `&&`, `--` and `~~` for operations on sets.
    """
    return "".join(_ECMA.get(piece) or _in_brackets(piece) for piece in _PIECE.findall(regex))


def _in_brackets(piece: str) -> str:
    if len(piece) < 2 or not piece.startswith("["):
        return piece
    parts = re.split(r"(\\.)", piece, flags=re.S)
    # At even places stands what is no escape.
    parts[::2] = [_SET_OPERATORS.sub(_escape_each, part) for part in parts[::2]]
    return "".join(parts)


def _escape_each(match: re.Match[str]) -> str:
    return "".join(f"\\{letter}" for letter in match[0])
