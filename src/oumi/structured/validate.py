"""Validation of answers against a constraint.

A validator is made once for a run, because it has to be compiled, and then judges each answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from pydantic_core import to_json

from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.json_schema.regex import matches
from oumi.core.json_text import parse_json, write_json
from oumi.errors import UnsupportedError

if TYPE_CHECKING:
    from oumi.structured.schema.restore import Restore

# An error message is read by people, and by the model in a repair: a few errors are enough.
_MAX_ERRORS = 5
_MAX_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on an answer."""

    text: str
    """The valid answer; where there is none, the text that was judged."""
    problem: str | None = None
    """What is wrong with it; None if it is valid."""
    extracted: bool = False
    """Whether the valid answer is only a part of the text that was judged."""


Validator = Callable[[str], Verdict]
"""Judges a whole text: nothing is extracted."""


def make_validator(guided: GuidedDecodingParams, restore: Restore | None = None) -> Validator:
    """The validator of a constraint.

    With `restore`, answers are JSON values of another schema, which are restored and then judged.
    """
    match guided.form:
        case "json":
            return partial(_validate_json, _compile_schema(write_json(guided.json)), restore)
        case "choice":
            validator = partial(_validate_choice, tuple(guided.choice or ()))
        case "regex":
            validator = partial(_validate_regex, guided.regex or "")
        case _:
            validator = partial(_validate_grammar, _compile_grammar(guided))
    return validator if restore is None else partial(_validate_wrapped, validator, restore)


def make_is_valid(
    guided: GuidedDecodingParams, restore: Restore | None = None
) -> Callable[[str], bool]:
    """A faster function for whether a text is valid and needs no restoring."""
    if guided.json is not None and restore is None:
        return partial(_is_valid_json, _compile_schema(write_json(guided.json)))
    return partial(_is_valid_unchanged, make_validator(guided, restore))


def clip(text: str, length: int = _MAX_CHARACTERS) -> str:
    """The text, shortened to `length` characters and an ellipsis if it is longer."""
    return text if len(text) <= length else f"{text[:length]}…"


def _validate_json(schema: Any, restore: Restore | None, text: str) -> Verdict:
    try:
        value = parse_json(text)
    except ValueError as error:
        return Verdict(text, _not_json(text, error))
    restored = value if restore is None else restore(value)
    if schema.is_valid(restored):
        is_same = restored is value or restored == value
        return Verdict(text if is_same else to_json(restored).decode())
    if restore is not None and schema.is_valid(value):  # a value of the original schema already
        return Verdict(text)
    return Verdict(text, _describe_errors(schema, restored))


def _is_valid_json(schema: Any, text: str) -> bool:
    try:
        is_valid: bool = schema.is_valid(parse_json(text))
    except ValueError:
        return False
    return is_valid


def _is_valid_unchanged(validator: Validator, text: str) -> bool:
    verdict = validator(text)
    return verdict.problem is None and verdict.text is text


def _validate_choice(choices: tuple[str, ...], text: str) -> Verdict:
    if text in choices:
        return Verdict(text)
    return Verdict(text, f"{_quote(text)} is none of the choices")


def _validate_regex(regex: str, text: str) -> Verdict:
    if matches(regex, text):
        return Verdict(text)
    return Verdict(text, f"{_quote(text)} does not match {regex}")


def _validate_grammar(grammar: tuple[Any, Any] | None, text: str) -> Verdict:
    if grammar is None:
        return Verdict(text)
    tokenizer, start = grammar
    matcher, tokens = start.deep_copy(), tokenizer.tokenize_bytes(text.encode())
    if matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting():
        return Verdict(text)
    return Verdict(text, f"{_quote(text)} is not of the grammar")


def _validate_wrapped(validator: Validator, restore: Restore, text: str) -> Verdict:
    """Judge a text that stands in a JSON value, for a provider that accepts only schemas.

    The bare text is valid too.
    """
    verdict = validator(text)
    if verdict.problem is None:
        return verdict
    try:
        value = restore(parse_json(text))
    except ValueError:
        return verdict
    return validator(value) if isinstance(value, str) else verdict


def _not_json(text: str, error: ValueError) -> str:
    return f"not JSON: {error}" if text.strip() else "the answer is empty"


def _quote(text: str) -> str:
    return clip(repr(text)) if text else "an empty answer"


def _describe_errors(schema: Any, value: Any) -> str:
    """The first errors, each after its JSON pointer (RFC 6901)."""
    errors = list(islice(schema.iter_errors(value), _MAX_ERRORS + 1))
    lines = [
        f"{_pointer(error.instance_path) or 'the whole value'}: {clip(error.message)}"
        for error in errors
    ]
    return "; ".join(lines[:_MAX_ERRORS]) + ("; and more" if len(lines) > _MAX_ERRORS else "")


def _pointer(path: list[str | int]) -> str:
    keys = (str(key).replace("~", "~0").replace("/", "~1") for key in path)
    return "".join(f"/{key}" for key in keys)


@lru_cache(maxsize=64)
def _compile_schema(schema: bytes) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(orjson.loads(schema), validate_formats=True)


def _compile_grammar(guided: GuidedDecodingParams) -> tuple[Any, Any] | None:
    """A tokenizer whose tokens are bytes, and a matcher at the start of the grammar.

    None for a notation that llguidance does not know: only the server that samples by it does.
    """
    from llguidance import LLMatcher, LLTokenizer

    from oumi.structured.schema.grammar import to_lark

    try:
        lark = to_lark(guided)
    except UnsupportedError:
        return None
    tokenizer = LLTokenizer("byte")
    return tokenizer, LLMatcher(tokenizer, lark, log_level=0)
