"""What an answer has to look like, as a grammar in the Lark notation of llguidance.

Local engines sample by it. It is checked here, because a runtime may drop a grammar that
llguidance refuses without a word.
Notation: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher
from llguidance.gbnf_to_lark import GbnfToLarkError, any_to_lark

from oumi.core.configs import GuidedDecodingParams
from oumi.errors import UnsupportedError

_ESCAPE = re.compile(r"\\.|/", re.DOTALL)
_IN_LARK = {"/": r"\/", r"\d": "[0-9]", r"\D": "[^0-9]"}

# Free white space between the parts of a JSON text invites endless runs of it.
_COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def to_lark(guided: GuidedDecodingParams) -> str:
    """The grammar. Raises UnsupportedError naming what llguidance cannot express."""
    match guided.form:
        case "json":
            schema = {**(guided.json or {}), "x-guidance": _COMPACT}
            return _checked(f"start: %json {json.dumps(schema)}")
        case "choice":
            choices = " | ".join(json.dumps(text) for text in guided.choice or ())
            return _checked(f"start: {choices}")
        case "regex":
            return _checked(f"start: /{_pattern(guided.regex or '')}/")
        case _:
            return _checked(_from_any(guided.grammar or ""))


def _pattern(regex: str) -> str:
    """The expression with its slashes escaped, and with digits being those of ASCII."""
    return _ESCAPE.sub(lambda match: _IN_LARK.get(match[0], match[0]), regex)


def _from_any(grammar: str) -> str:
    """A grammar in Lark's notation, from that or from GBNF, the notation of llama.cpp."""
    try:
        return str(any_to_lark(grammar)).removeprefix("%llguidance {}").strip()
    except (GbnfToLarkError, ValueError) as error:
        raise _refused(error) from error


@lru_cache(maxsize=64)
def _checked(lark: str) -> str:
    error: Any = LLMatcher.validate_grammar(lark)
    if error:
        raise _refused(error)
    return lark


def _refused(reason: object) -> UnsupportedError:
    return UnsupportedError(f"generation.guided_decoding cannot be kept: {reason}")
