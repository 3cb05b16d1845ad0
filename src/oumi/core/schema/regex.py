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
