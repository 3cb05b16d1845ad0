"""Limits on a schema's size and complexity, checked before any library works on it.

They stop hostile schemas, and no sensible schema comes near them. The libraries have their own
limits on the size of a grammar and on the steps of a regular expression. Those do not cover a
schema of hundreds of megabytes, one nested so deep that Python runs out of stack, or references
that double at each step, which would keep a validator busy for years.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from oumi.core.json_schema.subschemas import (
    DEFS,
    IN_PLACE_APPLICATORS,
    Schema,
    all_schemas,
    resolve,
    subschemas,
)
from oumi.core.json_text import write_json

MAX_BYTES = 1_000_000
"""Size of the schema as JSON text: the largest of 9,500 real ones has 915,000 bytes. Preparing one
of that size takes a sampler some seconds."""
MAX_DEPTH = 128
"""Objects and arrays within each other. Walking through a schema takes several Python frames for
each level, and the recursion limit is 1,000 frames."""
MAX_VISITS = 10_000
"""Schemas that a validator visits for one value, each reference followed: some milliseconds."""
MAX_MINIMUM = 100_000
"""The largest minItems, minLength and the like: longer than answers get in practice. Samplers
expand such a count, so a billion of them would take all memory."""

_MOST_VISITS = 1_000_000_000  # numbers that double at each reference get no longer than this
_FOR_ONE_CHILD = frozenset({"prefixItems", "properties"})
_MINIMUMS = ("minItems", "minLength", "minProperties", "minContains")


def check_size(schema: dict[str, Any]) -> None:
    """Raise ValueError for a schema that is too deep or too long. Takes any dict."""
    level: list[Any] = [schema]
    left = MAX_BYTES  # no value is shorter than a byte
    for _ in range(MAX_DEPTH):
        # Lists that hold one list several times may have more items than memory has room for.
        items = (item for value in level for item in _items(value))
        level = list(islice(items, left + 1))
        left -= len(level)
        if left < 0:
            raise ValueError(f"more than {MAX_BYTES:,} bytes long; at most {MAX_BYTES:,} are taken")
        if not level:
            break
    else:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    size = len(write_json(schema))
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes long; at most {MAX_BYTES:,} are taken")


def check_complexity(schema: dict[str, Any]) -> None:
    """Raise ValueError for a schema that no validator can finish with, or no answer satisfy.

    That is: references that lead back to themselves for the same value or that multiply, minimum
    lengths beyond any answer, and values that would have to be infinite. Takes the normal form.
    """
    for subschema in all_schemas(schema):
        for keyword in _MINIMUMS:
            if subschema.get(keyword, 0) > MAX_MINIMUM:
                minimum = f"{subschema[keyword]:,}"
                raise ValueError(
                    f"{keyword} {minimum}: no answer is that long (at most {MAX_MINIMUM:,})"
                )
    _VisitCounter(schema).check()
    if count_visits(schema) == _MOST_VISITS:
        raise ValueError("$ref: alternatives multiply from level to level, because references do")
    _check_finite(schema)


def count_visits(root: dict[str, Any]) -> int:
    """The most schemas that a validator visits for any one value within a value, at most a billion.

    Recursive references count once, because a validator remembers their verdicts. Those that are
    not recursive may multiply from level to level. Takes the normal form.
    """
    return _LevelCounter(root).count()


def _check_finite(root: dict[str, Any]) -> None:
    """Raise ValueError where every value would have to be infinite.

    A fixed point: starting from none, add definitions that accept some finite value built from
    those already found, until the root is among them or nothing is added.
    """
    defs = {f"{DEFS}{name}": schema for name, schema in root.get("$defs", {}).items()}
    defs["#"] = root
    finite: set[str] = set()
    while True:
        found = {reference for reference, schema in defs.items() if _is_finite(schema, finite)}
        if "#" in found:
            return
        if found == finite:
            raise ValueError("$ref: no value fits, because each would hold others without end")
        finite = found


def _is_finite(schema: Schema, finite: set[str]) -> bool:
    """Whether a schema accepts some finite value, if the references in `finite` do."""
    if isinstance(schema, bool):
        return True
    if "$ref" in schema and schema["$ref"] not in finite:
        return False
    required = list(schema.get("allOf", ()))
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        required += [fields[name] for name in schema.get("required", ()) if name in fields]
    if schema.get("type") == "array" and schema.get("minItems", 0) > 0:
        items = [*schema.get("prefixItems", ()), schema.get("items", True)]
        required += items[: schema["minItems"]]
    unions = [schema[key] for key in ("anyOf", "oneOf") if key in schema]
    return all(_is_finite(subschema, finite) for subschema in required) and all(
        any(_is_finite(branch, finite) for branch in branches) for branches in unions
    )


class _VisitCounter:
    """Counts the schemas that a validator visits for one value, from each subschema on."""

    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._visits_of_reference = lru_cache(maxsize=None)(self._follow)
        self._open: list[str] = []

    def check(self) -> None:
        for schema in all_schemas(self._root):
            if self._visits(schema) > MAX_VISITS:
                raise ValueError(
                    f"$ref: one value would have to meet more than {MAX_VISITS:,} schemas, "
                    "because references multiply"
                )

    def _visits(self, schema: Schema) -> int:
        if isinstance(schema, bool):
            return 1
        visits = 1
        if "$ref" in schema:
            visits += self._visits_of_reference(schema["$ref"])
        for keyword, subschema in subschemas(schema):
            if keyword in IN_PLACE_APPLICATORS:
                visits += self._visits(subschema)
        return visits

    def _follow(self, reference: str) -> int:
        if reference in self._open:
            raise ValueError(f"$ref: {reference} leads back to itself")
        self._open.append(reference)
        visits = self._visits(resolve(reference, self._root))
        self._open.remove(reference)
        return min(visits, MAX_VISITS + 1)


class _LevelCounter:
    """Counts visits of the same value, at the level where a schema applies and at those within."""

    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._known: dict[str, tuple[int, int]] = {}

    def count(self) -> int:
        for reference in _references_in_order(self._root):
            self._known[reference] = self._visits(resolve(reference, self._root))
        return max(self._known["#"])

    def _visits(self, schema: Schema) -> tuple[int, int]:
        """The visits of the value itself, and the most of any value within it."""
        if isinstance(schema, bool):
            return 1, 0
        # What is not known yet leads back here: it is recursive.
        here, within = self._known.get(schema["$ref"], (1, 1)) if "$ref" in schema else (0, 0)
        here += 1 + _comparisons(schema)
        largest = 0
        for keyword, subschema in _without_definitions(schema):
            own, inner = self._visits(subschema)
            if keyword in IN_PLACE_APPLICATORS:
                here, within = here + own, within + inner
            elif keyword in _FOR_ONE_CHILD:  # each for another child
                largest = max(largest, own, inner)
            else:
                within += max(own, inner)
        return min(here, _MOST_VISITS), min(within + largest, _MOST_VISITS)


def _references_in_order(root: dict[str, Any]) -> Iterator[str]:
    """All references, each after those that its schema needs, as far as they form no ring.

    Not recursive, because a chain of references may be longer than the stack of Python.
    """
    seen, path = {"#"}, [("#", _references_of(root))]
    while path:
        reference, needed = path[-1]
        following = next((one for one in needed if one not in seen), None)
        if following is None:
            path.pop()
            yield reference
        else:
            seen.add(following)
            path.append((following, _references_of(resolve(following, root))))


def _references_of(schema: Schema) -> Iterator[str]:
    if isinstance(schema, dict) and "$ref" in schema:
        yield schema["$ref"]
    for _, subschema in _without_definitions(schema):
        yield from _references_of(subschema)


def _without_definitions(schema: Schema) -> Iterator[tuple[str, Schema]]:
    return ((key, one) for key, one in subschemas(schema) if key != "$defs")


def _comparisons(schema: dict[str, Any]) -> int:
    """How many values an `enum` is compared with; texts are looked up."""
    return sum(not isinstance(value, str) for value in schema.get("enum", ()))


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
