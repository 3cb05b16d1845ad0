"""A constraint as a grammar in the Lark notation of llguidance, by which local engines sample.

The grammar is validated here, because a runtime may silently drop one that llguidance refuses.
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
from oumi.core.json_schema.regex import expand_classes
from oumi.core.json_schema.subschemas import all_schemas, map_subschemas
from oumi.errors import UnsupportedError

_ESCAPE_OR_SLASH = re.compile(r"\\.|/", re.DOTALL)

# Flexible white space between the tokens of JSON invites endless runs of it.
_COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

# A sampler expands each counted item in advance, for which older versions of llguidance use up all
# memory. No answer has so many items, so a higher limit is left to the validation of the answer.
_MAX_COUNTED_ITEMS = 1_000

NOT_IN_LLAMA_CPP = frozenset({"uri"})
"""Formats that the llguidance within llama.cpp does not know; it then drops the whole grammar."""


def to_lark(guided: GuidedDecodingParams, unknown_formats: Collection[str] = frozenset()) -> str:
    """The grammar of a constraint.

    Raises UnsupportedError naming the keyword that llguidance cannot express, or a `format` of
    `unknown_formats`.
    """
    match guided.form:
        case "json":
            schema: dict[str, Any] = guided.json or {}
            _check_formats(schema, unknown_formats)
            compact = {**_without_high_limits(schema), "x-guidance": _COMPACT}
            return _validate(f"start: %json {json.dumps(compact)}")
        case "choice":
            choices = " | ".join(json.dumps(text) for text in guided.choice or ())
            return _validate(f"start: {choices}")
        case "regex":
            return _validate(f"start: {_between_slashes(guided.regex or '')}")
        case _:
            return _validate(_from_any_notation(guided.grammar or ""))


def _check_formats(schema: dict[str, Any], unknown: Collection[str]) -> None:
    for subschema in all_schemas(schema):
        if subschema.get("format") in unknown:
            raise _unsupported(f"Unknown format: {subschema['format']}")


def _without_high_limits(schema: Any) -> Any:
    if isinstance(schema, dict):
        limits = [key for key in ("maxItems", "maxProperties") if key in schema]
        high = [key for key in limits if schema[key] > _MAX_COUNTED_ITEMS]
        schema = {key: value for key, value in schema.items() if key not in high}
    return map_subschemas(schema, lambda _, subschema: _without_high_limits(subschema))


def _between_slashes(regex: str) -> str:
    """The expression in Lark's notation: between slashes, with its own slashes escaped."""
    escaped = _ESCAPE_OR_SLASH.sub(
        lambda match: r"\/" if match[0] == "/" else match[0], expand_classes(regex)
    )
    return f"/{escaped}/"


def _from_any_notation(grammar: str) -> str:
    """A grammar in Lark's notation, given in that or in GBNF, the notation of llama.cpp."""
    try:
        return str(any_to_lark(grammar)).removeprefix("%llguidance {}").strip()
    except (GbnfToLarkError, ValueError) as error:
        raise _unsupported(error) from error


@lru_cache(maxsize=64)
def _validate(lark: str) -> str:
    """The grammar itself. Raises UnsupportedError if llguidance does not accept it."""
    error: Any = LLMatcher.validate_grammar(lark)
    # Some limits are checked only when a sampler is made.
    error = error or LLMatcher(LLTokenizer("byte"), lark, log_level=0).get_error()
    if error:
        raise _unsupported(error)
    return lark


def _unsupported(reason: object) -> UnsupportedError:
    text = str(reason)
    if text.startswith("panic"):
        text = "too large for the sampler"
    if "%json" in text:  # the message quotes the whole schema after the reason
        text = text.partition("\n   1 | ")[0].rpartition("JSON schema: ")[2]
    return UnsupportedError(f"generation.guided_decoding cannot be kept: {text}")
