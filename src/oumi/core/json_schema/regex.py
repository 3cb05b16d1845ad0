"""Regular expressions, in the dialect that engines take: without look-around, back-references
and word boundaries. Engines walk through an expression letter by letter and never go back.

https://docs.rs/regex/latest/regex/#syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_REASON = re.compile(r"error: (.+)|\(in regex\): (.+?)(?: in regex .*)?$", re.MULTILINE)
_SIZE_LIMIT_BYTES = 10_000_000

_PARTS = re.compile(r"(\\.|[\[\]])", re.DOTALL)
_RANGES = {r"\d": "0-9", r"\w": "0-9A-Za-z_"}


def check_regex(regex: str) -> None:
    """Raise ValueError for an expression that engines do not take, with the reason."""
    from llguidance import LLMatcher

    error = LLMatcher.validate_grammar(LLMatcher.grammar_from_regex(regex))
    if not error:
        try:
            _matcher(regex)
        except ValueError:
            error = "error: too large once its repetitions are written out"
    if any(part == "[" and is_inside for part, is_inside in _parts(regex)):
        error = "error: engines read a [ within brackets in two ways; write \\["
    if error:
        reasons = [one or other for one, other in _REASON.findall(error)] or [error]
        raise ValueError(f"not a regular expression that engines take: {reasons[-1]}")


def matches(regex: str, text: str) -> bool:
    """Whether the whole of a text matches. Takes time in proportion to the text, whichever the
    expression.
    """
    return bool(_matcher(regex).is_valid(text))


@lru_cache(maxsize=64)
def _matcher(regex: str) -> Any:
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions(
        size_limit=_SIZE_LIMIT_BYTES, dfa_size_limit=_SIZE_LIMIT_BYTES
    )
    schema = {"pattern": whole(regex)}
    return jsonschema_rs.validator_for(schema, pattern_options=options)


def whole(regex: str) -> str:
    """The expression as a `pattern` of a schema, which by itself may match any part of a text."""
    return f"^(?:{regex})$"


def in_ascii(regex: str) -> str:
    r"""The expression with `\d` and `\w` spelled out.

    To some samplers they also mean the digits and letters of other scripts, which they do not mean
    in a schema. `\D` and `\W` within brackets have no such spelling and stay.
    """
    return "".join(_in_ascii(part, is_inside) for part, is_inside in _parts(regex))


def _in_ascii(part: str, is_inside: bool) -> str:
    ranges = _RANGES.get(part.lower())
    if ranges is None or (is_inside and part.isupper()):
        return part
    return ranges if is_inside else f"[{'^' if part.isupper() else ''}{ranges}]"


def _parts(regex: str) -> Iterator[tuple[str, bool]]:
    """Escapes, brackets, and what stands between them; each with whether it is within brackets."""
    is_inside = False
    for part in _PARTS.split(regex):
        yield part, is_inside
        is_inside = part == "[" or (is_inside and part != "]")
