"""Validation of answers against a constraint.

A validator is made once for a run, because it has to be compiled, and then judges each answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from oumi.core.answer_type import AnswerType, type_of_schema
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.json_schema.regex import matches
from oumi.core.json_text import parse_json, write_json
from oumi.errors import ConfigError, UnsupportedError
from oumi.structured.clip import clip
from oumi.structured.type_errors import find_type_problem

if TYPE_CHECKING:
    from oumi.structured.compiled_schema import CompiledSchema
    from oumi.structured.schema.restore import Restore


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on an answer."""

    text: str
    """The valid answer; where there is none, the text that was judged."""
    describe: Callable[[], str] | None = None
    """Says what is wrong with it; None if it is valid."""
    extracted: bool = False
    """Whether the valid answer is only a part of the text that was judged."""

    @property
    def problem(self) -> str | None:
        """What is wrong with it; None if it is valid. Looked for at each call."""
        return None if self.describe is None else self.describe()


Validator = Callable[[str], Verdict]
"""Judges a whole text: nothing is extracted."""


def make_validator(guided: GuidedDecodingParams, restore: Restore | None = None) -> Validator:
    """The validator of a constraint.

    With `restore`, answers are JSON values of another schema, which are restored and then judged.
    """
    match guided.form:
        case "json":
            return partial(_validate_json, *_compiled(guided), restore)
        case "choice":
            validator = partial(_validate_choice, frozenset(guided.choice or ()))
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
        return partial(_is_valid_json, *_compiled(guided))
    return partial(_is_valid_unchanged, make_validator(guided, restore))


def _validate_json(
    schema: CompiledSchema, answer_type: AnswerType | None, restore: Restore | None, text: str
) -> Verdict:
    try:
        value = parse_json(text)
    except ValueError as error:
        return _invalid(text, _not_json(text, error))
    restored = value if restore is None else restore(value)
    problem = schema.find_problem(restored, len(text))
    if problem is None:
        is_same = restored is value or restored == value
        whole = text if is_same else to_json(restored).decode()
        refused = find_type_problem(answer_type, whole)
        return Verdict(text if refused else whole, refused)
    # It may be a value of the original schema already.
    is_original = restored is not value and schema.find_problem(value, len(text)) is None
    return Verdict(text, find_type_problem(answer_type, text) if is_original else problem)


def _is_valid_json(schema: CompiledSchema, answer_type: AnswerType | None, text: str) -> bool:
    if len(text) > schema.max_length:
        return False  # judged with care by `_validate_json`
    try:
        is_valid: bool = schema.is_valid(parse_json(text))
    except ValueError:
        return False
    return is_valid and (answer_type is None or answer_type.accepts(text))


def _invalid(text: str, problem: str) -> Verdict:
    return Verdict(text, lambda: problem)


def _is_valid_unchanged(validator: Validator, text: str) -> bool:
    verdict = validator(text)
    return verdict.describe is None and verdict.text is text


def _validate_choice(choices: frozenset[str], text: str) -> Verdict:
    if text in choices:
        return Verdict(text)
    return _invalid(text, f"{_quote(text)} is none of the choices")


def _validate_regex(regex: str, text: str) -> Verdict:
    if matches(regex, text):
        return Verdict(text)
    return _invalid(text, f"{_quote(text)} does not match {regex}")


def _validate_grammar(grammar: tuple[Any, Any] | None, text: str) -> Verdict:
    if grammar is None:
        return Verdict(text)
    tokenizer, start = grammar
    matcher, tokens = start.deep_copy(), tokenizer.tokenize_bytes(text.encode())
    if matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting():
        return Verdict(text)
    return _invalid(text, f"{_quote(text)} is not of the grammar")


def _validate_wrapped(validator: Validator, restore: Restore, text: str) -> Verdict:
    """Judge a text that stands in a JSON value, for a provider that accepts only schemas.

    The bare text is valid too.
    """
    verdict = validator(text)
    if verdict.describe is None:
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


def _compiled(guided: GuidedDecodingParams) -> tuple[CompiledSchema, AnswerType | None]:
    return _compile_schema(write_json(guided.json)), type_of_schema(guided.json)


@lru_cache(maxsize=64)
def _compile_schema(schema: bytes) -> CompiledSchema:
    # Most runs have no schema, so its modules are imported when one comes.
    from oumi.structured.compiled_schema import CompiledSchema

    return CompiledSchema(schema)


def _compile_grammar(guided: GuidedDecodingParams) -> tuple[Any, Any] | None:
    """A tokenizer whose tokens are bytes, and a matcher at the start of the grammar.

    None for a notation that llguidance does not know: only the server that samples by it does.
    """
    from llguidance import LLMatcher, LLTokenizer

    from oumi.structured.sampler.grammar import to_lark

    try:
        lark = to_lark(guided)
    except (ConfigError, UnsupportedError):
        return None
    tokenizer = LLTokenizer("byte")
    return tokenizer, LLMatcher(tokenizer, lark, log_level=0)
