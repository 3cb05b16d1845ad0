"""Regular expressions: whether a text matches one.

Most are matched letter by letter, in linear time: https://docs.rs/regex/latest/regex/#syntax
Those that look around or back are matched within a fixed number of steps:
https://docs.rs/fancy-regex/latest/fancy_regex/#syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_SIZE_LIMIT_BYTES = 10_000_000
"""Memory for a compiled expression: about the default of the Rust crate `regex`, 10 MiB."""

# Steps that an expression which looks around may take for one text: some milliseconds.
_BACKTRACK_LIMIT = 200_000
# The reason within the messages of llguidance.
_REASON = re.compile(r"error: (.+)|\(in regex\): (.+?)(?: in regex .*)?$", re.MULTILINE)
_PIECES = re.compile(r"(\\.|[\[\]])", re.DOTALL)
_CLASSES = {r"\d": "0-9", r"\w": "0-9A-Za-z_"}


def check_regex(regex: str) -> None:
    """Raise ValueError, with the reason, for what is no regular expression or one too large."""
    try:
        _compile(regex)
    except ValueError:
        raise ValueError(f"not a regular expression that engines take: {_reason(regex)}") from None


def _reason(regex: str) -> str:
    from llguidance import LLMatcher

    error = LLMatcher.validate_grammar(LLMatcher.grammar_from_regex(regex))
    reasons = [one or other for one, other in _REASON.findall(error or "")]
    return reasons[-1] if reasons else "too large once its repetitions are written out"


def matches(regex: str, text: str) -> bool:
    """Whether the expression matches the whole text.

    Takes time linear in the text's length; a look-around that takes too long counts as no match.
    """
    return bool(_compile(regex).is_valid(text))


@lru_cache(maxsize=64)
def _compile(regex: str) -> Any:
    """A validator of texts. Raises ValueError. Python's `re` would backtrack without a limit."""
    import jsonschema_rs

    sizes = {"size_limit": _SIZE_LIMIT_BYTES, "dfa_size_limit": _SIZE_LIMIT_BYTES}
    schema = {"pattern": anchor(regex)}
    try:
        options = jsonschema_rs.RegexOptions(**sizes)
        return jsonschema_rs.validator_for(schema, pattern_options=options)
    except ValueError:
        fancy = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACK_LIMIT, **sizes)
        return jsonschema_rs.validator_for(schema, pattern_options=fancy)


def anchor(regex: str) -> str:
    """The expression as a schema's `pattern`, which unanchored may match any part of a text."""
    return f"^(?:{regex})$"


def expand_classes(regex: str) -> str:
    r"""The expression with `\d` and `\w` replaced by the ASCII ranges that they mean in a schema.

    For some samplers they also mean the digits and letters of other scripts. `\D` and `\W` within
    brackets have no such replacement and stay.
    """
    return "".join(_expand(piece, in_brackets) for piece, in_brackets in _pieces(regex))


def _expand(piece: str, in_brackets: bool) -> str:
    ranges = _CLASSES.get(piece.lower())
    if ranges is None or (in_brackets and piece.isupper()):
        return piece
    return ranges if in_brackets else f"[{'^' if piece.isupper() else ''}{ranges}]"


def _pieces(regex: str) -> Iterator[tuple[str, bool]]:
    """Escapes, brackets and the text between them, each with whether it stands in brackets."""
    in_brackets = False
    for piece in _PIECES.split(regex):
        yield piece, in_brackets
        in_brackets = piece == "[" or (in_brackets and piece != "]")
