"""A schema as a sampler keeps it: it accepts all that the schema does, and little else.

What is said in other keywords, without a change to what is accepted, is in the modules beside this
one. What samplers do not know at all is left out, and named, for the check of answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from oumi.core.json_pointer import escape
from oumi.core.json_schema.keywords import ASSERTIONS, STRING_KEYWORDS
from oumi.core.json_schema.subschemas import Schema
from oumi.structured.sampler import arrays, conditions, objects
from oumi.structured.sampler.context import NAMES, Checked, Context, names_in
from oumi.structured.sampler.formats import CHECKED_ONLY, OF_SAMPLERS, PATTERNS
from oumi.structured.sampler.regexes import for_sampler

# A sampler expands each counted item in advance. No answer has so many, so a higher limit is left
# to the check. Older versions of llguidance use up all memory for it.
_MAX_COUNTED_ITEMS = 1_000
# Of all lists together: a second of a sampler's time.
_MAX_COUNTED_IN_ALL = 100_000

_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
_UNCHANGED = frozenset(
    {"type", "enum", "const", "$ref", "required", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)
_LISTS = frozenset({"allOf", "anyOf", "prefixItems"})
_SINGLE = frozenset({"items", "additionalProperties"})

# Each of these gives schemas to be met besides.
_CONDITIONS: dict[str, Callable[[Context, dict[str, Any], str], list[Schema]]] = {
    "oneOf": conditions.of_one_of,
    "not": conditions.of_not,
    "if": conditions.of_if,
    "dependentRequired": conditions.of_dependent_required,
    "dependentSchemas": conditions.of_dependent_schemas,
}
# Each of these gives keywords to be met besides.
_OTHERS: dict[str, Callable[[Context, dict[str, Any], str], dict[str, Any]]] = {
    "uniqueItems": arrays.of_unique,
    "contains": arrays.of_contains,
    "unevaluatedItems": arrays.of_unevaluated_items,
    "minProperties": objects.of_min_properties,
    "maxProperties": objects.of_max_properties,
    "unevaluatedProperties": objects.of_unevaluated,
    "patternProperties": objects.of_patterns,
}


class Loosened(NamedTuple):
    """A schema for a sampler, and what it leaves to the check of answers."""

    schema: dict[str, Any]
    checked: tuple[Checked, ...]


def loosen(root: dict[str, Any], *, multiplies: bool = True) -> Loosened:
    """The schema for a sampler of a schema in its normal form.

    Without `multiplies`, conditions are left to the check: as alternatives they multiply.
    """
    return _Loosener(root, multiplies).run()


class _Loosener:
    def __init__(self, root: dict[str, Any], multiplies: bool):
        self._context = Context(root, self.rewrite, multiplies)
        self._counted = 0

    def run(self) -> Loosened:
        root = self._context.root
        schema = self.rewrite({key: value for key, value in root.items() if key != "$defs"}, "")
        result: dict[str, Any] = schema if isinstance(schema, dict) else {"not": {}}
        defs = {
            name: self.rewrite(one, f"/$defs/{escape(name)}")
            for name, one in root.get("$defs", {}).items()
        }
        if defs:
            result = {**result, "$defs": defs}
        return Loosened(result, tuple(self._context.checked))

    def rewrite(self, schema: Schema, at: str) -> Schema:
        if isinstance(schema, bool):
            return schema
        kept: dict[str, Any] = {}
        besides: list[Any] = []
        for keyword, value in schema.items():
            if keyword not in ASSERTIONS:
                continue
            if keyword in _CONDITIONS:
                besides += _CONDITIONS[keyword](self._context, schema, at)
            elif keyword in _OTHERS:
                besides.append(_OTHERS[keyword](self._context, schema, at))
            else:
                kept.update(self._keep(keyword, value, at))
        joined = _join(kept, besides)
        if "propertyNames" in joined:
            joined = _and_also(joined, objects.of_names(self._context, joined, at))
        return _with_names(joined, schema)

    def _keep(self, keyword: str, value: Any, at: str) -> dict[str, Any]:
        """A keyword that applies by itself, as far as the sampler keeps it."""
        place = f"{at}/{keyword}"
        if keyword in _UNCHANGED or keyword == "propertyNames":
            return {keyword: value}
        if keyword in _COUNTS:
            return self._count(keyword, int(value), at)
        if keyword in _LISTS:
            return {keyword: self._context.rewrite_all(value, place)}
        if keyword in _SINGLE:
            return {keyword: self.rewrite(value, place)}
        if keyword == "properties":
            fields = {name: self.rewrite(s, f"{place}/{escape(name)}") for name, s in value.items()}
            return {keyword: fields}
        return self._text(keyword, value, at) if keyword in STRING_KEYWORDS else {}

    def _count(self, keyword: str, value: int, at: str) -> dict[str, Any]:
        if keyword == "maxItems":
            self._counted += value
            if value > _MAX_COUNTED_ITEMS or self._counted > _MAX_COUNTED_IN_ALL:
                self._context.leave(keyword, at)
                return {}
        return {keyword: value}

    def _text(self, keyword: str, value: str, at: str) -> dict[str, Any]:
        """`pattern` or `format`."""
        if keyword == "pattern":
            pattern, is_exact = for_sampler(value)
            if not is_exact:
                self._context.leave(keyword, at)
            return {} if pattern is None else {"pattern": pattern}
        if value in OF_SAMPLERS:
            return {"format": value}
        if value in CHECKED_ONLY:
            self._context.leave(keyword, at)
        return {"allOf": [{"pattern": PATTERNS[value]}]} if value in PATTERNS else {}


def _join(kept: dict[str, Any], besides: list[Any]) -> dict[str, Any]:
    """One schema of keywords and of schemas to be met besides."""
    joined = dict(kept)
    for one in besides:
        if not isinstance(one, dict):
            joined = joined if one else _and_also(joined, False)
        elif objects.NAMED in one:
            joined["properties"] = {**joined.get("properties", {}), **one[objects.NAMED]}
            joined["additionalProperties"] = False
        elif objects.OPEN in one:
            joined["additionalProperties"] = True
        elif objects.SAID in one:
            joined.setdefault("additionalProperties", True)
        elif (one.keys() & joined.keys()) - {"allOf"}:
            joined = _and_also(joined, one)
        else:
            both = [*joined.get("allOf", ()), *one.get("allOf", ())]
            joined = {**joined, **one, **({"allOf": both} if both else {})}
    return joined


def _and_also(schema: dict[str, Any], other: Schema) -> dict[str, Any]:
    if other is True or other == {}:
        return schema
    return {**schema, "allOf": [*schema.get("allOf", ()), other]}


def _with_names(joined: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """With the names of fields that now stand nowhere else, for an object that may be closed."""
    known = set(names_in(joined))
    names = [name for name in dict.fromkeys(names_in(schema)) if name not in known]
    return {**joined, NAMES: names} if names else joined
