"""A constraint as a grammar in the Lark notation of llguidance, by which local engines sample.

The grammar is validated here, because a runtime may silently drop one that llguidance refuses.
Notation: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import re
from functools import lru_cache

from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.json_schema.regex import expand_classes
from oumi.core.json_schema.regex_forms import ANY_TEXT, in_ecma_terms, without_assertions
from oumi.core.logs import warn_once
from oumi.errors import UnsupportedError
from oumi.structured.notation import to_lark_notation
from oumi.structured.room import Room
from oumi.structured.sampler.compile_time import MAX_COMPILE_S, CompileTimeError
from oumi.structured.sampler.context import Checked
from oumi.structured.sampler.fit import UnsatisfiableError, refusal_of, to_grammar
from oumi.structured.sampler.loosen import Loosened
from oumi.structured.sampler.schema import for_answer, for_sampler
from oumi.structured.sampler.texts import escape_text

_ESCAPE_OR_SLASH = re.compile(r"\\.|/", re.DOTALL)
_MAX_NAMED = 5  # places that a message names


def check_guidance(guided: GuidedDecodingParams) -> None:
    """Raise UnsupportedError for a constraint that no sampler keeps, not even a part of it.

    What is left to the check of answers is said once, or refused where `strict` is set.
    """
    to_lark(guided)
    checked = _checked(guided)
    if not checked:
        return
    if guided.strict:
        raise _unsupported(f"{_describe(checked)}; without strict: true answers are checked for it")
    warn_once(
        "guided_decoding: checked in answers, not kept while they are sampled: "
        f"{_describe(checked)}"
    )


def to_lark(guided: GuidedDecodingParams, room: Room | None = None) -> str:
    """The grammar of a constraint, of which a schema may leave a part to the check of answers.

    With `room`, what a schema leaves open is bounded, so that answers end.

    Raises UnsupportedError for what nothing can satisfy, and what llguidance does not take.
    """
    match guided.form:
        case "json":
            sampled = _sampled(guided).schema
            return to_grammar(for_answer(guided.json or {}, room) if room else sampled)
        case "choice":
            # One token of the grammar: of thousands, a sampler would run out of steps.
            texts = "|".join(map(_escape_line, guided.choice or ()))
            return _validate(f"start: /(?:{texts})/")
        case "regex":
            return _regex_to_lark(guided.regex or "")[0]
        case _:
            return _validate(to_lark_notation(guided.grammar or "", guided.grammar_format))


def _sampled(guided: GuidedDecodingParams) -> Loosened:
    try:
        return for_sampler(guided.json or {})
    except UnsatisfiableError as error:
        raise _unsupported(f"nothing satisfies the schema: {error}") from error
    except CompileTimeError as error:
        raise _unsupported(
            f"compiling the schema takes more than {MAX_COMPILE_S:.0f} s of processor time: give a "
            "simpler one, with fewer alternatives and counts"
        ) from error


def _checked(guided: GuidedDecodingParams) -> tuple[Checked, ...]:
    if guided.regex is not None and not _regex_to_lark(guided.regex)[1]:
        return (Checked("look-around, \\b or a back-reference", "regex"),)
    return _sampled(guided).checked if guided.form == "json" else ()


@lru_cache(maxsize=64)
def _regex_to_lark(regex: str) -> tuple[str, bool]:
    """The grammar of an expression, or of the nearest one that a sampler takes, and which it is."""
    plain = in_ecma_terms(regex)
    wider = (without_assertions(plain, anchors=anchors) for anchors in (True, False))
    for form in (plain, *wider, ANY_TEXT):
        lark = f"start: {_between_slashes(form)}"
        if refusal_of(lark) is None:
            return lark, form == plain
    raise _unsupported(refusal_of(f"start: {_between_slashes(regex)}"))


def _escape_line(text: str) -> str:
    return escape_text(text).replace("\n", r"\n").replace("\r", r"\r")


def _describe(checked: tuple[Checked, ...]) -> str:
    """The keywords, and where the first of them stand."""
    keywords = ", ".join(dict.fromkeys(one.keyword for one in checked))
    places = ", ".join(one.pointer for one in checked[:_MAX_NAMED])
    more = f" and {len(checked) - _MAX_NAMED:,} more" if len(checked) > _MAX_NAMED else ""
    return f"{keywords} (at {places}{more})"


def _between_slashes(regex: str) -> str:
    """The expression in Lark's notation: between slashes, with its own slashes escaped."""
    escaped = _ESCAPE_OR_SLASH.sub(
        lambda match: r"\/" if match[0] == "/" else match[0], expand_classes(regex)
    )
    return f"/{escaped}/"


@lru_cache(maxsize=64)
def _validate(lark: str) -> str:
    """The grammar itself. Raises UnsupportedError if llguidance does not accept it."""
    error = refusal_of(lark)
    if error:
        raise _unsupported(error)
    return lark


def _unsupported(reason: object) -> UnsupportedError:
    text = str(reason)
    if text.startswith("panic"):
        text = "too large for the sampler"
    return UnsupportedError(f"generation.guided_decoding cannot be kept: {text}")
