"""Regular expressions, in the dialect that engines take: without look-around, back-references
and word boundaries. Engines walk through an expression letter by letter and never go back.

https://docs.rs/regex/latest/regex/#syntax
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_REASON = re.compile(r"error: (.+)|\(in regex\): (.+?)(?: in regex .*)?$", re.MULTILINE)
_SIZE_LIMIT_BYTES = 10_000_000

_PART = re.compile(r"\\.|[\[\]]", re.DOTALL)
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
    depth = 0

    def spell_out(match: re.Match[str]) -> str:
        nonlocal depth
        part = match[0]
        depth = max(depth + {"[": 1, "]": -1}.get(part, 0), 0)
        ranges = _RANGES.get(part.lower())
        if ranges is None or (depth and part.isupper()):
            return part
        return ranges if depth else f"[{'^' if part.isupper() else ''}{ranges}]"

    return _PART.sub(spell_out, regex)
