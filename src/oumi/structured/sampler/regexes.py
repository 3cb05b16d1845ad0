"""Regular expressions as samplers take them: letter by letter, without looking around."""

from __future__ import annotations

from functools import lru_cache

from oumi.core.json_schema.regex_forms import in_ecma_terms, without_assertions


@lru_cache(maxsize=1024)
def for_sampler(regex: str) -> tuple[str | None, bool]:
    """The nearest expression that a sampler takes, and whether it matches the same texts.

    The expression matches all that `regex` does. It is None where there is none but `.*`.
    """
    plain = in_ecma_terms(regex)
    if is_taken(plain):
        return plain, True
    for anchors in (True, False):
        wider = without_assertions(plain, anchors=anchors)
        if is_taken(wider):
            return wider, False
    return None, False


def is_taken(regex: str) -> bool:
    """Whether a sampler takes an expression as the `pattern` of a schema."""
    from llguidance import LLMatcher

    schema = LLMatcher.grammar_from_json_schema({"type": "string", "pattern": regex})
    return not LLMatcher.validate_grammar(schema)
