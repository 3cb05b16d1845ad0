"""Whether an answer has the form that was asked for.

A check is made once per run, because it compiles, and takes each answer: about a microsecond for
a small JSON object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import Any

import orjson
from pydantic_core import to_json

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.regex import matches
from oumi.core.json_text import parse_json
from oumi.errors import UnsupportedError

Restore = Callable[[Any], Any]
"""Turns a value in the form that a provider was asked for back into the form the caller wants."""

_MOST_ERRORS = 5
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Found:
    """The text of an answer that counts, and what is wrong with it; None where it fits."""

    text: str
    problem: str | None = None
    extracted: bool = False
    """Whether there was more around the text."""


Check = Callable[[str], Found]
Fits = Callable[[str], bool]


def make_validator(guided: GuidedDecodingParams, restore: Restore | None = None) -> Check:
    """What tells of a text whether it fits. With `restore`, answers are JSON in another form."""
    match guided.form:
        case "json":
            return partial(_check_json, _validator(orjson.dumps(guided.json)), restore)
        case "choice":
            check = partial(_check_choice, tuple(guided.choice or ()))
        case "regex":
            check = partial(_check_regex, guided.regex or "")
        case _:
            check = partial(_check_grammar, _matcher(guided))
    return check if restore is None else partial(_check_wrapped, check, restore)


def make_is_valid(guided: GuidedDecodingParams, restore: Restore | None = None) -> Fits:
    """What tells of a text whether it fits just as it is, in the shortest time."""
    if guided.json is not None and restore is None:
        return partial(_fits_json, _validator(orjson.dumps(guided.json)))
    return partial(_fits_as_found, make_validator(guided, restore))


def clip(text: str, length: int = _MOST_CHARACTERS) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= length else f"{text[:length]}…"


def _check_json(validator: Any, restore: Restore | None, text: str) -> Found:
    try:
        value = parse_json(text)
    except ValueError as error:
        return Found(text, _not_json(text, error))
    wanted = value if restore is None else restore(value)
    if validator.is_valid(wanted):
        return Found(text if wanted is value or wanted == value else to_json(wanted).decode())
    if restore is not None and validator.is_valid(value):  # in the caller's form already
        return Found(text)
    return Found(text, _describe(validator, wanted))


def _fits_json(validator: Any, text: str) -> bool:
    try:
        return bool(validator.is_valid(parse_json(text)))
    except ValueError:
        return False


def _fits_as_found(check: Check, text: str) -> bool:
    found = check(text)
    return found.problem is None and found.text is text


def _check_choice(choices: tuple[str, ...], text: str) -> Found:
    if text in choices:
        return Found(text)
    return Found(text, f"{_quote(text)} is none of the choices")


def _check_regex(regex: str, text: str) -> Found:
    if matches(regex, text):
        return Found(text)
    return Found(text, f"{_quote(text)} does not match {regex}")


def _check_grammar(matcher: tuple[Any, Any] | None, text: str) -> Found:
    if matcher is None:
        return Found(text)
    tokenizer, start = matcher
    state, tokens = start.deep_copy(), tokenizer.tokenize_bytes(text.encode())
    if state.try_consume_tokens(tokens) == len(tokens) and state.is_accepting():
        return Found(text)
    return Found(text, f"{_quote(text)} is not of the grammar")


def _check_wrapped(check: Check, restore: Restore, text: str) -> Found:
    """A text inside a JSON value, for a provider that takes nothing but schemas; bare, the text
    is as good.
    """
    bare = check(text)
    if bare.problem is None:
        return bare
    try:
        value = restore(parse_json(text))
    except ValueError:
        return bare
    return check(value) if isinstance(value, str) else bare


def _not_json(text: str, error: ValueError) -> str:
    return f"not JSON: {error}" if text.strip() else "the answer is empty"


def _quote(text: str) -> str:
    return clip(repr(text)) if text else "an empty answer"


def _describe(validator: Any, value: Any) -> str:
    """The first errors, each behind its JSON pointer (RFC 6901)."""
    errors = list(islice(validator.iter_errors(value), _MOST_ERRORS + 1))
    lines = [
        f"{_pointer(error.instance_path) or 'the whole value'}: {clip(error.message)}"
        for error in errors
    ]
    return "; ".join(lines[:_MOST_ERRORS]) + ("; and more" if len(lines) > _MOST_ERRORS else "")


def _pointer(path: list[str | int]) -> str:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in parts)


@lru_cache(maxsize=64)
def _validator(schema: bytes) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(orjson.loads(schema), validate_formats=True)


def _matcher(guided: GuidedDecodingParams) -> tuple[Any, Any] | None:
    """Bytes as tokens, and the grammar's matcher at its start; None for a notation that is only
    known to the server that samples by it.
    """
    from llguidance import LLMatcher, LLTokenizer

    from oumi.structured.schema.grammar import to_lark

    try:
        lark = to_lark(guided)
    except UnsupportedError:
        return None
    tokenizer = LLTokenizer("byte")
    return tokenizer, LLMatcher(tokenizer, lark, log_level=0)
