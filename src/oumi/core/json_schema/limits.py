"""What no sensible schema needs, refused before a library works on it.

The libraries keep limits of their own on the size of a grammar and on the steps of an
expression. Theirs do not cover a schema of hundreds of megabytes, one nested so deep that Python
gives up, and references that double at each step, which take a validator years.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from oumi.core.json_schema.parts import DEFS, IN_PLACE, Schema, all_parts, parts, resolve

MAX_BYTES = 250_000
"""A schema as JSON text."""
MAX_DEPTH = 128
"""Objects and lists within each other, in the schema itself."""
MAX_WORK = 10_000
"""Schemas that have to be looked at for one value, each reference followed."""
MAX_LEAST = 100_000
"""What minItems, minLength and minProperties may ask for."""

_LEAST = ("minItems", "minLength", "minProperties", "minContains")


def check_size(schema: dict[str, Any]) -> None:
    """Raise ValueError for a schema that is too deep or too long."""
    level: list[Any] = [schema]
    for _ in range(MAX_DEPTH):
        level = [item for value in level for item in _items(value)]
        if not level:
            break
    else:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        size = len(orjson.dumps(schema))
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes long; at most {MAX_BYTES:,} are taken")


def check_work(schema: dict[str, Any]) -> None:
    """Raise ValueError for references that lead back to themselves or that multiply, and for
    values longer than any answer, and values without end. Takes a schema of the normal form.
    """
    for part in all_parts(schema):
        for keyword in _LEAST:
            if part.get(keyword, 0) > MAX_LEAST:
                asked = f"{part[keyword]:,}"
                raise ValueError(f"{keyword} {asked}: no answer is that long (at most 100,000)")
    _Work(schema).check()
    _check_end(schema)


def _check_end(root: dict[str, Any]) -> None:
    """Raise ValueError where each value has to hold a further one of its own kind."""
    defs = {f"{DEFS}{name}": part for name, part in root.get("$defs", {}).items()} | {"#": root}
    ending: set[str] = set()
    while True:
        found = {name for name, part in defs.items() if _ends(part, ending)}
        if "#" in found:
            return
        if found == ending:
            raise ValueError("$ref: no value fits, because each would hold others without end")
        ending = found


def _ends(part: Schema, ending: set[str]) -> bool:
    """Whether some value of a schema has an end, given the references that do."""
    if isinstance(part, bool):
        return True
    if "$ref" in part and part["$ref"] not in ending:
        return False
    held = list(part.get("allOf", ()))
    if part.get("type") == "object":
        fields = part.get("properties", {})
        held += [fields[name] for name in part.get("required", ()) if name in fields]
    if part.get("type") == "array" and part.get("minItems", 0) > 0:
        held += [*part.get("prefixItems", ()), part.get("items", True)][: part["minItems"]]
    alternatives = [part[key] for key in ("anyOf", "oneOf") if key in part]
    return all(_ends(one, ending) for one in held) and all(
        any(_ends(one, ending) for one in branches) for branches in alternatives
    )


class _Work:
    """How many schemas have to be looked at for one value, at each part of a schema."""

    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._of_reference = lru_cache(maxsize=None)(self._follow)
        self._open: list[str] = []

    def check(self) -> None:
        for part in all_parts(self._root):
            if self._of(part) > MAX_WORK:
                raise ValueError(
                    f"$ref: one value would have to meet more than {MAX_WORK:,} schemas, "
                    "because references multiply"
                )

    def _of(self, part: Schema) -> int:
        if isinstance(part, bool):
            return 1
        own = self._of_reference(part["$ref"]) if "$ref" in part else 0
        return 1 + own + sum(self._of(inner) for key, inner in parts(part) if key in IN_PLACE)

    def _follow(self, reference: str) -> int:
        if reference in self._open:
            raise ValueError(f"$ref: {reference} leads back to itself")
        self._open.append(reference)
        work = self._of(resolve(reference, self._root))
        self._open.remove(reference)
        return min(work, MAX_WORK + 1)


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
