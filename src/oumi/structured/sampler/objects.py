"""Objects as samplers keep them: how many fields, under which names, and what of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oumi.core.json_pointer import escape
from oumi.core.json_schema.keywords import ASSERTIONS
from oumi.core.json_schema.subschemas import Schema, resolve
from oumi.structured.sampler.context import Context
from oumi.structured.sampler.formats import OF_SAMPLERS, PATTERNS
from oumi.structured.sampler.regexes import for_sampler
from oumi.structured.schema.values import enum_of, type_of

NAMED = "named"
"""In place of keywords: fields that the object has besides, all others being closed out."""
OPEN = "open"
"""In place of keywords: any other field has to be possible, whatever was said of them."""
SAID = "said"
"""In place of keywords: other fields may be wanted, so the object is not to be closed."""

# Each becomes an alternative with all the object's fields.
_MAX_ALTERNATIVES = 16
_MAX_REFERENCES = 9  # one that refers to itself has no end
_NOT_STATIC = frozenset(
    {"anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "not", "unevaluatedProperties"}
)


def of_min_properties(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """Nothing where required fields are enough, one required alternative where one is wanted."""
    least, fields = int(schema["minProperties"]), schema.get("properties", {})
    required = set(schema.get("required", ()))
    if least <= len(required):
        return {}
    optional = [name for name, one in fields.items() if name not in required and one is not False]
    if not optional:
        return {"minProperties": least}
    if least - len(required) > 1 or len(optional) > _MAX_ALTERNATIVES:
        context.leave("minProperties", at)
        return {SAID: True}
    ways: list[Schema] = [{"required": [name]} for name in optional]
    if schema.get("additionalProperties", True) is not False or schema.get("patternProperties"):
        none = {"properties": dict.fromkeys(optional, False), "minProperties": least}
        ways.append(none)
    return {"anyOf": [*ways, _no_object()]}


def of_max_properties(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """Nothing where no object has so many fields; the keyword where it limits unnamed ones."""
    most, fields = int(schema["maxProperties"]), schema.get("properties", {})
    required = set(schema.get("required", ()))
    is_closed = schema.get("additionalProperties", True) is False
    if is_closed and not schema.get("patternProperties") and len(fields) <= most:
        return {}
    if fields.keys() <= required:
        return {"maxProperties": most}
    if most <= len(required):  # there are just the required ones
        names = dict.fromkeys(required, True)
        return {"properties": names, "additionalProperties": False}
    context.leave("maxProperties", at)
    return {}


def _no_object() -> Schema:
    """What is no object at all, which keywords of objects leave alone."""
    return {"type": ["string", "number", "boolean", "null", "array"]}


def of_names(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """`propertyNames` as the one pattern, or the few names, that fields may have.

    `schema` is what has been rewritten of the object so far; the keyword is taken out of it.
    """
    names = _resolved(schema.pop("propertyNames"), context.root)
    listed = enum_of(names)
    extra = schema.get("additionalProperties", True)
    if schema.get("patternProperties") or not isinstance(names, dict):
        return _leave_unless_true(context, names, at)
    if listed is not None and names.keys() <= {"enum", "const", "type"}:
        texts = [name for name in listed if type_of(name) == "string"]
        fields = schema.get("properties", {})
        named = {name: True if name in fields else extra for name in texts}
        return {"properties": named, "additionalProperties": False}
    pattern = _name_pattern(names)
    # A pattern is for named fields as well, which the schema of all others is not.
    is_apart = extra is True or not schema.get("properties")
    if pattern is None or extra is False or (pattern and not is_apart):
        return _leave_unless_true(context, names, at)
    if not pattern:
        return {}
    kept = {name: _matches(pattern, name) for name in schema.get("properties", {})}
    return {
        **({"properties": kept} if kept else {}),
        # Older samplers do not join what stands beside this, of all other fields, to a pattern.
        "patternProperties": {pattern: extra},
        "additionalProperties": False,
    }


def _resolved(schema: Schema, root: dict[str, Any]) -> Schema:
    """What a schema asks for; of one that is nothing but a reference, what it refers to."""
    for _ in range(_MAX_REFERENCES):
        if not isinstance(schema, dict):
            break
        schema = {keyword: value for keyword, value in schema.items() if keyword in ASSERTIONS}
        if schema.keys() != {"$ref"}:
            break
        schema = resolve(schema["$ref"], root)
    return schema


def _leave_unless_true(context: Context, names: Schema, at: str) -> dict[str, Any]:
    if names is not True and names != {}:
        context.leave("propertyNames", at)
    return {}


def _name_pattern(names: dict[str, Any]) -> str | None:
    """The names that a schema takes as one expression: empty for all of them, None for unknown."""
    if "string" not in _listed_types(names):
        return None
    restricting = {key: value for key, value in names.items() if key != "type"}
    match restricting:
        case {"pattern": str(pattern), **rest} if not rest:
            kept, is_exact = for_sampler(pattern)
            return kept if is_exact else None
        case {"format": str(name), **rest} if not rest:
            return PATTERNS.get(name) or (None if name in OF_SAMPLERS else "")
    if restricting.keys() <= {"minLength", "maxLength"}:
        least, most = restricting.get("minLength", 0), restricting.get("maxLength", "")
        return rf"^[\s\S]{{{least},{most}}}$" if restricting else ""
    return None


def _listed_types(schema: dict[str, Any]) -> list[str]:
    types = schema.get("type", "string")
    return [types] if isinstance(types, str) else types


def _matches(pattern: str, name: str) -> bool:
    import jsonschema_rs

    return bool(jsonschema_rs.validator_for({"pattern": pattern}).is_valid(name))


def of_patterns(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """`patternProperties` whose patterns the sampler takes and tells apart.

    A named field has to meet those that match its name; samplers differ in that, so it is said
    beside the field. Where a pattern is left out, so is the schema of all other fields: a field
    that it would have taken must not become one of those.
    """
    patterns: dict[str, Schema] = schema["patternProperties"]
    taken = {pattern: for_sampler(pattern) for pattern in patterns}
    if not all(exact for _, exact in taken.values()) or not _are_apart(list(patterns)):
        context.leave("patternProperties", at)
        return {OPEN: True}
    place = f"{at}/patternProperties"
    rewritten = {
        str(taken[pattern][0]): context.rewrite(one, f"{place}/{escape(pattern)}")
        for pattern, one in patterns.items()
    }
    fields = schema.get("properties", {})
    besides = {
        name: one
        for name in fields
        for pattern, one in zip(patterns, rewritten.values(), strict=True)
        if _matches(pattern, name)
    }
    result: dict[str, Any] = {"patternProperties": rewritten}
    return {**result, "allOf": [{"properties": besides}]} if besides else result


def _are_apart(patterns: list[str]) -> bool:
    """Whether no name matches two of the patterns, as far as the sampler can tell."""
    from llguidance import LLMatcher

    schema = {"type": "object", "patternProperties": dict.fromkeys(patterns, True)}
    return len(patterns) < 2 or not LLMatcher.validate_grammar(
        LLMatcher.grammar_from_json_schema(schema)
    )


def of_unevaluated(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """`unevaluatedProperties: false` as a closed object, where all names are known beforehand."""
    if schema["unevaluatedProperties"] is True or "additionalProperties" in schema:
        return {}
    names = None
    if schema["unevaluatedProperties"] is False and not schema.keys() & _NOT_STATIC - {
        "unevaluatedProperties"
    }:
        names = _all_names(schema, context.root, 0)
    if names is None:
        context.leave("unevaluatedProperties", at)
        return {SAID: True}
    fields = schema.get("properties", {})
    named = {name: True for name in names if name not in fields}
    return {NAMED: named}


def _all_names(schema: Schema, root: dict[str, Any], depth: int) -> list[str] | None:
    """The names of all fields that a schema evaluates; None where they depend on the value."""
    if isinstance(schema, bool):
        return []
    opened = schema.keys() & (_NOT_STATIC if depth else _NOT_STATIC - {"unevaluatedProperties"})
    if opened or schema.get("patternProperties") or schema.get("additionalProperties") or depth > 9:
        return None
    found = list(schema.get("properties", {}))
    for other in _joined(schema, root):
        names = _all_names(other, root, depth + 1)
        if names is None:
            return None
        found += names
    return found


def _joined(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[Schema]:
    yield from schema.get("allOf", ())
    if "$ref" in schema:
        yield resolve(schema["$ref"], root)
