"""Conditions as plain alternatives: `oneOf`, `not`, `if` and what depends on a field.

Each function gives schemas that have to be met besides the other keywords, and leaves to the check
what alternatives cannot say.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from oumi.core.json_pointer import escape
from oumi.core.json_schema.subschemas import Schema
from oumi.structured.sampler.context import Context, all_of
from oumi.structured.sampler.negation import negate
from oumi.structured.schema.values import are_disjoint

# Alternatives of schemas that hold together are multiplied out by the sampler.
_MAX_DEPENDENCIES = 4
# Each branch is compared with each other one.
_MAX_BRANCHES = 300
_MAX_OVERLAPS = 12


def of_one_of(context: Context, schema: dict[str, Any], at: str) -> list[Schema]:
    """`oneOf` as `anyOf`, whose branches exclude each other or are made to."""
    branches: list[Schema] = schema["oneOf"]
    place = f"{at}/oneOf"
    rewritten = context.rewrite_all(branches, place)
    excluded, is_exact = _excluded(branches, context)
    if not is_exact:
        context.leave("oneOf", at)
    limits = {index: context.rewrite_all(ones, place) for index, ones in excluded.items()}
    return [{"anyOf": [all_of(one, *limits.get(i, ())) for i, one in enumerate(rewritten)]}]


def _excluded(branches: list[Schema], context: Context) -> tuple[dict[int, list[Schema]], bool]:
    """What is added to branches so that no value meets two of them, and whether that is enough."""
    if len(branches) > _MAX_BRANCHES:
        return {}, False
    overlaps = [
        (i, j)
        for i, j in combinations(range(len(branches)), 2)
        if not are_disjoint([branches[i], branches[j]], context.root)
    ]
    if len(overlaps) > _MAX_OVERLAPS or (overlaps and not context.multiplies):
        return {}, False
    negated = {i: negate(branches[i], context.root) for pair in overlaps for i in pair}
    excluded: dict[int, list[Schema]] = {}
    for i, j in [*overlaps, *((j, i) for i, j in overlaps)]:
        other = negated[j]
        if other is not None:
            excluded.setdefault(i, []).append(other)
    return excluded, None not in negated.values()


def of_not(context: Context, schema: dict[str, Any], at: str) -> list[Schema]:
    """`not` as what the schema in it refuses."""
    negated = negate(schema["not"], context.root) if context.multiplies else None
    if negated is None:
        context.leave("not", at)
        return []
    return [context.rewrite(negated, f"{at}/not")]


def of_if(context: Context, schema: dict[str, Any], at: str) -> list[Schema]:
    """`if` as two alternatives: what meets it and `then`, and what does not and meets `else`."""
    if not schema.keys() & {"then", "else"}:
        return []
    if not context.multiplies:
        context.leave("if", at)
        return []
    then = context.rewrite(schema.get("then", True), f"{at}/then")
    other = context.rewrite(schema.get("else", True), f"{at}/else")
    condition = context.rewrite(schema["if"], f"{at}/if")
    negated = negate(schema["if"], context.root)
    if negated is None:
        context.leave("if", at)
        return [{"anyOf": [all_of(condition, then), other]}] if "else" in schema else []
    return [
        {
            "anyOf": [
                all_of(condition, then),
                all_of(context.rewrite(negated, f"{at}/if"), other),
            ]
        }
    ]


def of_dependent_required(context: Context, schema: dict[str, Any], at: str) -> list[Schema]:
    """For each field either that it is missing, or those that it needs."""
    needed = {name: names for name, names in schema["dependentRequired"].items() if names}
    surely = [name for name in needed if name in schema.get("required", ())]
    found: list[Schema] = [{"required": list(needed.pop(name))} for name in surely]
    if len(needed) > _MAX_DEPENDENCIES or (needed and not context.multiplies):
        context.leave("dependentRequired", at)
        return found
    return found + [_absent_or(name, {"required": list(names)}) for name, names in needed.items()]


def of_dependent_schemas(context: Context, schema: dict[str, Any], at: str) -> list[Schema]:
    """For each field either that it is missing, or the schema that it asks for."""
    dependent = schema["dependentSchemas"]
    if len(dependent) > _MAX_DEPENDENCIES or not context.multiplies:
        context.leave("dependentSchemas", at)
        return []
    return [
        _absent_or(name, context.rewrite(one, f"{at}/dependentSchemas/{escape(name)}"))
        for name, one in dependent.items()
    ]


def _absent_or(name: str, schema: Schema) -> Schema:
    # Not ambiguous: where the field is there, only the second alternative is left.
    present = {"type": "object", "required": [name]}
    return {"anyOf": [{"properties": {name: False}}, all_of(present, schema)]}
