"""Whether a schema stays within what a provider takes at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oumi.core.json_schema.parts import Schema, all_parts, parts, resolve
from oumi.structured.schema.merge import SchemaNotSupportedError, values_of
from oumi.structured.schema.profiles import SchemaProfile

_LONG_ENUM, _LONG_ENUM_LETTERS = 250, 15_000
"""One `enum` of more values than that has at most so many letters, where letters are counted."""


def check_limits(schema: dict[str, Any], rules: SchemaProfile) -> None:
    """Raise SchemaNotSupportedError naming the limit that a schema exceeds."""
    found = list(all_parts(schema))
    fields = [name for part in found for name in part.get("properties", {})]
    values = [value for part in found for value in part.get("enum", ())]
    optional = sum(len(part.get("properties", {}).keys() - _required(part)) for part in found)
    unions = sum("anyOf" in part or isinstance(part.get("type"), list) for part in found)
    alternatives = max((len(part.get("anyOf", ())) for part in found), default=0)
    _check("fields", len(fields), rules.most_properties)
    _check("values in enum", len(values), rules.most_values)
    _check("optional fields", optional, rules.most_optional)
    _check("parts with alternatives", unions, rules.most_unions)
    _check("alternatives in one anyOf", alternatives, rules.most_alternatives)
    if rules.most_levels is not None:
        _check("levels", _levels(schema, schema, {}), rules.most_levels)
    if rules.most_letters is not None:
        letters = sum(map(len, _texts(schema, found)))
        _check("letters in names and values", letters, rules.most_letters)
        _check("letters in one long enum", _longest_enum(found), _LONG_ENUM_LETTERS)


def _check(what: str, count: int, most: int | None) -> None:
    if most is not None and count > most:
        raise SchemaNotSupportedError(f"{count:,} {what}; at most {most:,} are taken")


def _required(part: dict[str, Any]) -> set[str]:
    return set(part.get("required", ()))


def _levels(part: Schema, root: dict[str, Any], known: dict[str, int]) -> int:
    """Objects and arrays within each other; `known` holds those of references, 0 for one that
    is being followed, so that one that leads back counts once.
    """
    if isinstance(part, bool):
        return 0
    reference = part.get("$ref")
    if reference is not None:
        if reference not in known:
            known[reference] = 0
            known[reference] = _levels(resolve(reference, root), root, known)
        return known[reference]
    inner = [_levels(one, root, known) for key, one in parts(part) if key != "$defs"]
    return max(inner, default=0) + (part.get("type") in ("object", "array"))


def _texts(schema: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[str]:
    yield from schema.get("$defs", {})
    for part in found:
        yield from part.get("properties", {})
        yield from (str(value) for value in values_of(part) or ())


def _longest_enum(found: list[dict[str, Any]]) -> int:
    long = (part["enum"] for part in found if len(part.get("enum", ())) > _LONG_ENUM)
    return max((sum(len(str(value)) for value in values) for values in long), default=0)
