"""What the rewriting of one schema shares, and what it has found to be left to the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from oumi.core.json_schema.subschemas import Schema

NAMES = "x-oumi-names"
"""Names of fields that only left out keywords speak of, in a schema on its way to a sampler."""


class Checked(NamedTuple):
    """A keyword that the sampler does not keep, so that only the check of answers does."""

    keyword: str
    pointer: str
    """Its place, as a JSON pointer into the normal form of the schema."""


@dataclass
class Context:
    """One schema that is being rewritten."""

    root: dict[str, Any]
    rewrite: Callable[[Schema, str], Schema]
    """A subschema for the sampler, given its JSON pointer."""
    multiplies: bool = True
    """Whether conditions become alternatives, which multiply where several hold together."""
    checked: dict[Checked, None] = field(default_factory=dict)
    """In the order in which they were met."""

    def leave(self, keyword: str, at: str) -> None:
        """Leave a keyword of the schema at a place to the check of answers."""
        self.checked[Checked(keyword, f"{at}/{keyword}")] = None

    def rewrite_all(self, schemas: list[Schema], at: str) -> list[Schema]:
        """The subschemas of a keyword that has a list of them."""
        return [self.rewrite(one, f"{at}/{index}") for index, one in enumerate(schemas)]


def all_of(*schemas: Schema) -> Schema:
    """What meets all of some schemas."""
    found = [one for one in schemas if one is not True and one != {}]
    if False in found:
        return False
    if len(found) < 2:
        return found[0] if found else True
    return {"allOf": found}


def names_in(schema: Any) -> Iterator[str]:
    """The names of fields that a schema speaks of, for the value itself."""
    if isinstance(schema, list):
        for one in schema:
            yield from names_in(one)
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {})
    yield from schema.get("required", ())
    for name, needed in schema.get("dependentRequired", {}).items():
        yield from (name, *needed)
    for keyword in ("allOf", "anyOf", "oneOf", "not", "if", "then", "else"):
        yield from names_in(schema.get(keyword))
    for name, one in schema.get("dependentSchemas", {}).items():
        yield name
        yield from names_in(one)
