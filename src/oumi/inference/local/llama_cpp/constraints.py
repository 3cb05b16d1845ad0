"""What an answer has to look like, as a grammar of llguidance, which llama.cpp samples by.

llama.cpp drops a grammar that llguidance refuses without a word, so each is checked here first.
Notation: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher

from oumi.core.configs import GuidedDecodingParams
from oumi.errors import UnsupportedError

_ESCAPE = re.compile(r"\\.|/", re.DOTALL)
_IN_LARK = {"/": r"\/", r"\d": "[0-9]", r"\D": "[^0-9]"}
_LARK = "%llguidance {}\n"

# Free white space between the parts of a JSON text invites endless runs of it.
_COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def to_grammar(guided: GuidedDecodingParams) -> str:
    """The grammar. Raises UnsupportedError naming what llguidance cannot express."""
    match guided.form:
        case "json":
            schema = {**(guided.json or {}), "x-guidance": _COMPACT}
            return _checked(f"start: %json {json.dumps(schema)}")
        case "choice":
            return _checked(
                "start: " + " | ".join(json.dumps(text) for text in guided.choice or ())
            )
        case "regex":
            return _checked(f"start: /{_to_lark(guided.regex or '')}/")
        case _:
            return guided.grammar or ""


def _to_lark(pattern: str) -> str:
    """The pattern with its slashes escaped, and with digits being those of ASCII."""
    return _ESCAPE.sub(lambda match: _IN_LARK.get(match[0], match[0]), pattern)


@lru_cache(maxsize=64)
def _checked(lark: str) -> str:
    error: Any = LLMatcher.validate_grammar(lark)
    if error:
        raise UnsupportedError(f"LLAMACPP cannot honour generation.guided_decoding: {error}")
    return _LARK + lark
