"""What a type has against a JSON text that its schema accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from oumi.core.answer_type import AnswerType
from oumi.core.json_pointer import escape
from oumi.structured.clip import clip

_MAX_ERRORS = 5  # as many as of a schema


def find_type_problem(answer_type: AnswerType | None, text: str) -> Callable[[], str] | None:
    """Why the type refuses a text, as a function that describes it; None if it does not."""
    if answer_type is None or answer_type.accepts(text):
        return None
    return lambda: _describe(answer_type, text)


def _describe(answer_type: AnswerType, text: str) -> str:
    """The first errors, each after its JSON pointer."""
    try:
        answer_type.parse(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        lines = [_line(one) for one in found[:_MAX_ERRORS]]
        return "; ".join(lines) + ("; and more" if len(found) > _MAX_ERRORS else "")
    except Exception as error:  # a validator may raise anything
        return f"{answer_type.name} refuses it: {type(error).__name__}: {clip(str(error))}"
    return f"{answer_type.name} refused it"  # by a validator that decides anew each time


def _line(error: Any) -> str:
    place = "".join(f"/{escape(str(part))}" for part in error["loc"]) or "the whole value"
    return f"{place}: {clip(error['msg'])}"
