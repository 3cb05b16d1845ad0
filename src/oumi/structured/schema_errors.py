"""What is wrong with a JSON value, found within a budget of work.

jsonschema-rs gives a verdict in a time that grows with the value, but its error for a union holds
those of all branches, and so on within each: for a recursive union they fill all memory. Here its
verdict is asked for part by part instead, and only parts that fail are looked into. In a union that
is the branch whose tag (a field with one fixed value) the value has.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from oumi.core.json_pointer import escape
from oumi.structured.clip import MAX_CHARACTERS, clip
from oumi.structured.schema_parts import Part, SchemaParts, children, in_place
from oumi.structured.unions import choose_branch

# Visits of a schema by a value. A machine does some 5 million in the 0.3 s that a caller may wait.
_BUDGET = 5_000_000
_VISITS_OF_CALL = 50  # what a call of jsonschema-rs costs beside its work, about a microsecond
# An error message is read by people, and by the model in a repair: a few errors are enough.
_MAX_ERRORS = 5

_MESSAGES = {
    "not": "is what the schema excludes with `not`",
    "contains": "has too few or too many items that fit `contains`",
    "propertyNames": "has a field whose name does not fit `propertyNames`",
}
_UNEXPLAINED = "does not fit the schema"
_UNEVALUATED = {"unevaluatedItems": "an item", "unevaluatedProperties": "a field"}


def describe_errors(parts: SchemaParts, value: Any) -> str:
    """The first errors of an invalid value, each after its JSON pointer."""
    lines = list(dict.fromkeys(islice(_find_errors(parts, value), _MAX_ERRORS + 1)))
    return "; ".join(lines[:_MAX_ERRORS]) + ("; and more" if len(lines) > _MAX_ERRORS else "")


def _find_errors(parts: SchemaParts, value: Any) -> Iterator[str]:
    search = _Search(parts)
    pending = [Part("", parts.root, value)]
    while pending:
        part = pending.pop()
        messages, inner = search.look_into(part)
        yield from (_line(part, message) for message in messages)
        pending += reversed(inner)


def _line(part: Part, message: str) -> str:
    place = "".join(f"/{escape(key)}" for key in part.path) or "the whole value"
    place = place if len(place) <= MAX_CHARACTERS else f"…{place[-MAX_CHARACTERS:]}"
    branch = f" (taken as {part.branch})" if part.branch else ""
    return f"{place}: {clip(message)}{branch}"


class _BudgetSpentError(Exception):
    """No more parts are looked into."""


class _Search:
    """Looks into failing parts, as long as the budget lasts."""

    def __init__(self, parts: SchemaParts):
        self._parts = parts
        self._left = _BUDGET

    def look_into(self, part: Part) -> tuple[list[str], list[Part]]:
        """What is wrong with a failing part itself, and the failing parts within it.

        Once the budget is spent, the part is only named.
        """
        try:
            messages, inner = self._look_into(part)
        except _BudgetSpentError:
            return [f"{_UNEXPLAINED}; it is too large to find out where"], []
        return messages if messages or inner else [_unexplained(part)], inner

    def _look_into(self, part: Part) -> tuple[list[str], list[Part]]:
        if not isinstance(part.schema, dict):
            return self._parts.own_errors(part), []
        self._spend(_size(part.value) * self._parts.visits)
        messages, inner = self._parts.own_errors(part), list[Part]()
        for keyword in part.schema.keys() & _MESSAGES.keys():
            if not self._parts.keyword_is_met(part, keyword):
                messages.append(_MESSAGES[keyword])
        for keyword in part.schema.keys() & {"anyOf", "oneOf"}:
            if not self._parts.keyword_is_met(part, keyword):
                chosen = choose_branch(self._parts, part, keyword)
                messages += [chosen] if isinstance(chosen, str) else []
                inner += [chosen] if isinstance(chosen, Part) else []
        return messages, inner + list(islice(self._failing(part), _MAX_ERRORS + 1))

    def _failing(self, part: Part) -> Iterator[Part]:
        for found in (in_place(self._parts, part), children(self._parts, part)):
            for one in found:
                self._spend(_VISITS_OF_CALL)
                if not self._parts.is_valid(one):
                    yield one

    def _spend(self, visits: int) -> None:
        self._left -= visits
        if self._left < 0:
            raise _BudgetSpentError


def _unexplained(part: Part) -> str:
    """What no keyword by itself shows, such as fields that none of several subschemas names."""
    for keyword, what in _UNEVALUATED.items():
        if isinstance(part.schema, dict) and keyword in part.schema:
            return f"{_UNEXPLAINED}, which closes it with `{keyword}`: {what} may be too many"
    return _UNEXPLAINED


def _size(value: Any) -> int:
    """How many values a value holds, itself included."""
    count, level = 0, [value]
    while level:
        count += len(level)
        held = [one.values() if isinstance(one, dict) else one for one in level if _holds(one)]
        level = [inner for one in held for inner in one]
    return count


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)
