"""A schema rewritten for a provider, so that it accepts the same values in another shape.

What profiles ask for, and how a schema meets it:

    all fields required      an optional field may be null, and null is removed again
    objects closed           fields that a schema does not name are not allowed; an object of any
                             field names becomes an array of pairs
    no tuples                an array of fixed items becomes an object with a field for each
    no oneOf, no allOf       anyOf for oneOf, and the schemas of allOf merged
    an object as root        an object with the value as its only field
    keyword not accepted     written into the description, and enforced by validating the answer

What cannot be rewritten raises SchemaNotSupportedError. restore.py has the reverse, for answers.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from oumi.core.json_schema.keywords import ANNOTATIONS, KEYWORDS_OF_TYPE
from oumi.core.json_schema.subschemas import DEFS, Schema, all_schemas, map_subschemas, resolve
from oumi.structured.schema.errors import SchemaNotSupportedError
from oumi.structured.schema.merge import flatten, merge
from oumi.structured.schema.profiles import References, SchemaProfile
from oumi.structured.schema.restore import (
    HINT,
    VALUE,
    alternatives,
    are_distinguishable,
    needs_restoring,
)
from oumi.structured.schema.rewrite_types import TypeRewriter
from oumi.structured.schema.values import are_disjoint, enum_of

_CONDITIONS = ("not", "if", "then", "else")
_SCALARS = frozenset({"string", "number", "integer", "boolean", "null"})
# Subschemas visited: references that are written out multiply them. No provider accepts as many.
_MAX_SCHEMAS = 20_000
# How deep merged schemas nest: merging a recursive `$ref` with the keywords beside it has no end.
_MAX_MERGE_DEPTH = 30
# Each alternative is compared with each other one, so the cost grows with the square.
_MAX_ALTERNATIVES = 300


def rewrite(
    schema: dict[str, Any], profile: SchemaProfile
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema rewritten for a profile, with hints for restoring, and the keywords left out.

    Raises SchemaNotSupportedError naming the keyword that stands in the way.
    """
    rewriter = _Rewriter(schema, profile)
    try:
        rewritten = rewriter.run()
        _check_distinguishable(rewritten)
    except RecursionError:
        raise SchemaNotSupportedError("$ref: references too deep within each other") from None
    return rewritten, tuple(sorted(rewriter.unenforced))


def wrap(schema: dict[str, Any]) -> dict[str, Any]:
    """An object with the schema as its only field, and the hint that says so."""
    defs = dict(schema.get("$defs", {}))
    body = {key: value for key, value in schema.items() if key != "$defs"}
    if any(part.get("$ref") == "#" for part in all_schemas(schema)):
        # The root is now the wrapper, so what was the root becomes a definition.
        name = next(name for name in (f"root{'_' * n}" for n in range(99)) if name not in defs)
        defs = {key: _redirect(part, name) for key, part in {**defs, name: body}.items()}
        body = {"$ref": DEFS + name}
    wrapper: dict[str, Any] = {
        "type": "object",
        "properties": {VALUE: body},
        "required": [VALUE],
        "additionalProperties": False,
        HINT: {"wrapped": True},
    }
    return {**wrapper, "$defs": defs} if defs else wrapper


def _redirect(schema: Schema, name: str) -> Schema:
    """The schema with references to a definition in place of those to the root."""
    if isinstance(schema, dict) and schema.get("$ref") == "#":
        schema = {**schema, "$ref": DEFS + name}
    return map_subschemas(schema, lambda _, subschema: _redirect(subschema, name))


class _Rewriter(TypeRewriter):
    """Rewrites references and combinations of schemas, and with its base class all the others.

    A definition is rewritten when a reference to it is met for the first time.
    """

    def __init__(self, root: dict[str, Any], profile: SchemaProfile):
        super().__init__(root, profile)
        self._open = ["#"]
        """The references that are being followed."""
        self._root_aliases: set[str] = set()
        """References to the definition that the root itself refers to."""
        self._merge_depth = 0
        self._schemas = 0
        self._defs: dict[str, Schema] = {}

    def run(self) -> dict[str, Any]:
        body: Schema = {key: value for key, value in self._root.items() if key != "$defs"}
        while isinstance(body, dict) and body.keys() == {"$ref"}:
            self._root_aliases.add(body["$ref"])
            body = resolve(body["$ref"], self._root)
        rewritten = self.rewrite(body)
        if self._defs:
            rewritten = {**rewritten, "$defs": self._defs}
        if self._profile.object_root and rewritten.get("type") != "object":
            return wrap(rewritten)
        return rewritten

    def rewrite(self, schema: Schema) -> dict[str, Any]:
        """A subschema rewritten, with all those within it."""
        self._schemas += 1
        if isinstance(schema, bool):
            raise SchemaNotSupportedError(
                "a part that accepts anything" if schema else "a part that accepts nothing"
            )
        if self._schemas > _MAX_SCHEMAS:
            raise SchemaNotSupportedError("too large once references are written out")
        if "$ref" in schema and not schema.keys() - {"$ref"} - ANNOTATIONS:
            return self._rewrite_reference(schema)
        if "$ref" in schema or "allOf" in schema:
            return self._rewrite_merged(flatten(schema, self._root))
        schema = self._without_conditions(schema)
        return self._rewrite_union(schema) if "anyOf" in schema else self._rewrite_typed(schema)

    def _rewrite_merged(self, schema: dict[str, Any]) -> dict[str, Any]:
        self._merge_depth += 1
        if self._merge_depth > _MAX_MERGE_DEPTH:
            raise SchemaNotSupportedError("$ref with neighbours that leads back to itself")
        rewritten = self.rewrite(schema)
        self._merge_depth -= 1
        return rewritten

    def _rewrite_reference(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A reference stays one, or is replaced by what it points to.

        It is replaced where the provider accepts no references, and where it has a title or a
        description of its own, unless it is recursive.
        """
        reference = "#" if schema["$ref"] in self._root_aliases else schema["$ref"]
        target = resolve(reference, self._root)
        is_recursive = reference in self._open
        if is_recursive and self._profile.references is not References.ALL:
            raise SchemaNotSupportedError(f"$ref: {reference} is recursive")
        has_annotations = bool(schema.keys() & self.kept_annotations)
        inline = self._profile.references is References.NONE or has_annotations
        if inline and not is_recursive and isinstance(target, dict):
            annotations = {key: schema[key] for key in schema if key != "$ref"}
            return self._rewrite_target(reference, {**target, **annotations})
        name = reference.removeprefix(DEFS)
        if reference != "#" and name not in self._defs:
            self._defs[name] = True  # a placeholder, for references to it from within it
            self._defs[name] = self._rewrite_target(reference, target)
        return {"$ref": reference}

    def _rewrite_target(self, reference: str, target: Schema) -> dict[str, Any]:
        self._open.append(reference)
        rewritten = self.rewrite(target)
        self._open.remove(reference)
        return rewritten

    def _without_conditions(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema without `not` and `if`, and with `anyOf` for `oneOf`."""
        left_out = [key for key in _CONDITIONS if key in schema]
        if "oneOf" in schema and not self._exclude_each_other(schema["oneOf"]):
            left_out.append("oneOf")
        kept = {key: value for key, value in schema.items() if key not in (*left_out, "oneOf")}
        if "oneOf" in schema:
            if "anyOf" in schema:
                raise SchemaNotSupportedError("anyOf and oneOf side by side")
            kept["anyOf"] = schema["oneOf"]
        self.describe(kept, {key: schema[key] for key in left_out if key != "oneOf"})
        self.unenforced.update(left_out)
        return kept

    def _exclude_each_other(self, branches: list[Schema]) -> bool:
        """Whether `anyOf` accepts no more than `oneOf` does."""
        return len(branches) <= _MAX_ALTERNATIVES and are_disjoint(branches, self._root)

    def _rewrite_union(self, schema: dict[str, Any]) -> dict[str, Any]:
        annotations = self.annotations(schema)
        rewritten: list[dict[str, Any]] = []
        for branch in map(self.rewrite, self._branches(schema)):
            inner = branch["anyOf"] if branch.keys() == {"anyOf"} else [branch]
            rewritten += [one for one in inner if one not in rewritten]
        if not rewritten:
            raise SchemaNotSupportedError("anyOf: nothing is accepted")
        [first, *others] = rewritten
        if others or "$ref" in first or annotations.keys() & first.keys():
            return {**annotations, "anyOf": rewritten}
        return {**annotations, **first}

    def _branches(self, schema: dict[str, Any]) -> list[Schema]:
        """The branches of `anyOf`, each with the keywords beside it merged in."""
        branches = [branch for branch in schema["anyOf"] if branch is not False]
        _check_count(branches)
        keys = schema.keys() - ANNOTATIONS - {"anyOf"}
        rest = {key: value for key, value in schema.items() if key in keys}
        if not rest:
            return branches
        return [
            rest if branch is True else merge(rest, flatten(branch, self._root))
            for branch in branches
        ]

    def _rewrite_typed(self, schema: dict[str, Any]) -> dict[str, Any]:
        values = enum_of(schema)
        if values is not None:
            return self.rewrite_enum(schema, values)
        types = schema.get("type")
        if types is None:
            raise SchemaNotSupportedError("a part without a type")
        if isinstance(types, str):
            return self.rewrite_type(schema, types)
        if self._profile.type_lists and set(types) <= _SCALARS:
            return self.rewrite_scalar(schema, types)
        union = {"anyOf": [_of_type(schema, name) for name in types]}
        return self._rewrite_union(union | self.annotations(schema))


def _of_type(schema: dict[str, Any], type_name: str) -> dict[str, Any]:
    """What a schema says of values of one type."""
    keywords = KEYWORDS_OF_TYPE.get(type_name, frozenset())
    own = {key: value for key, value in schema.items() if key in keywords}
    return {"type": type_name, **own}


def _check_count(branches: list[Any]) -> None:
    if len(branches) > _MAX_ALTERNATIVES:
        raise SchemaNotSupportedError(
            f"anyOf: {len(branches):,} alternatives are too many to compare"
        )


def _check_distinguishable(rewritten: dict[str, Any]) -> None:
    """Raise SchemaNotSupportedError where an answer would not show which alternative it is of.

    That matters only where values of an alternative have to be restored.
    """
    for schema in all_schemas(rewritten):
        if "anyOf" not in schema or not needs_restoring(schema, rewritten):
            continue
        found = list(alternatives(schema, rewritten))
        _check_count(found)
        for one, other in combinations(found, 2):
            matters = needs_restoring(one, rewritten) or needs_restoring(other, rewritten)
            if matters and one != other and not are_distinguishable(one, other):
                raise SchemaNotSupportedError("anyOf: alternatives that cannot be distinguished")
