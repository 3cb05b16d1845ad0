"""What an answer has to look like, as a grammar in the Lark notation of llguidance.

Local engines sample by it. It is checked here, because a runtime may drop a grammar that
llguidance refuses without a word.
Notation: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from llguidance import LLMatcher, LLTokenizer
from llguidance.gbnf_to_lark import GbnfToLarkError, any_to_lark

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.parts import all_parts, map_parts
from oumi.core.json_schema.regex import in_ascii
from oumi.errors import UnsupportedError

_ESCAPE = re.compile(r"\\.|/", re.DOTALL)

# Free white space between the parts of a JSON text invites endless runs of it.
_COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


# A sampler writes each item out in advance, which takes an older llguidance all memory there is.
_MOST_COUNTED = 1_000

# Not known to the llguidance within llama.cpp, which then drops the whole grammar.
NOT_IN_LLAMA_CPP = frozenset({"uri"})


def to_lark(guided: GuidedDecodingParams, unknown_formats: Collection[str] = frozenset()) -> str:
    """The grammar. Raises UnsupportedError naming what llguidance cannot express.

    An upper limit on items that no answer reaches is left to the check of the answer.
    """
    match guided.form:
        case "json":
            _check_formats(guided.json or {}, unknown_formats)
            schema = {**_without_far_limits(guided.json or {}), "x-guidance": _COMPACT}
            return _checked(f"start: %json {json.dumps(schema)}")
        case "choice":
            choices = " | ".join(json.dumps(text) for text in guided.choice or ())
            return _checked(f"start: {choices}")
        case "regex":
            return _checked(f"start: {_pattern(guided.regex or '')}")
        case _:
            return _checked(_from_any(guided.grammar or ""))


def _check_formats(schema: dict[str, Any], unknown: Collection[str]) -> None:
    for part in all_parts(schema):
        if part.get("format") in unknown:
            raise _refused(f"Unknown format: {part['format']}")


def _without_far_limits(part: Any) -> Any:
    if isinstance(part, dict):
        far = [key for key in ("maxItems", "maxProperties") if part.get(key, 0) > _MOST_COUNTED]
        part = {key: value for key, value in part.items() if key not in far}
    return map_parts(part, lambda _, inner, __: _without_far_limits(inner))


def _pattern(regex: str) -> str:
    """The expression between slashes, with its own slashes escaped."""
    own = _ESCAPE.sub(lambda match: r"\/" if match[0] == "/" else match[0], in_ascii(regex))
    return f"/{own}/"


def _from_any(grammar: str) -> str:
    """A grammar in Lark's notation, from that or from GBNF, the notation of llama.cpp."""
    try:
        return str(any_to_lark(grammar)).removeprefix("%llguidance {}").strip()
    except (GbnfToLarkError, ValueError) as error:
        raise _refused(error) from error


@lru_cache(maxsize=64)
def _checked(lark: str) -> str:
    error: Any = LLMatcher.validate_grammar(lark)
    # Some limits are looked at only when the sampler is made.
    error = error or LLMatcher(LLTokenizer("byte"), lark, log_level=0).get_error()
    if error:
        raise _refused(error)
    return lark


def _refused(reason: object) -> UnsupportedError:
    text = str(reason)
    if text.startswith("panic"):
        text = "too large for the sampler"
    if "%json" in text:  # behind the reason stands the whole schema
        text = text.partition("\n   1 | ")[0].rpartition("JSON schema: ")[2]
    return UnsupportedError(f"generation.guided_decoding cannot be kept: {text}")
