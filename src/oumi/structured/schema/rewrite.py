"""A schema made to meet a provider's rules, without changing what is accepted.

What rules ask for, and how it is met:

    all fields required      an optional field may be null, and is taken out again
    objects closed           fields that a schema does not mention are not asked for; an object of
                             any names becomes a list of pairs
    no tuples                a list of fixed places becomes an object with a field for each
    no oneOf, no allOf       alternatives, and one schema for all
    an object at the top     an object around the value
    no such keyword          told to the model in the description, and checked here

What cannot be met that way raises SchemaNotSupportedError. marks.py has the way back.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from oumi.core.json_schema.parts import DEFS, NOTES, Schema, all_parts, map_parts, resolve
from oumi.structured.schema.merge import (
    SchemaNotSupportedError,
    are_disjoint,
    flatten,
    merge,
    values_of,
)
from oumi.structured.schema.profiles import OF_KIND, References, SchemaProfile
from oumi.structured.schema.restore import MARK, VALUE, can_be_told_apart, changes_anything, leaves
from oumi.structured.schema.rewrite_kinds import KindRewriter

_CONDITIONS = ("not", "if", "then", "else")
_SCALARS = frozenset({"string", "number", "integer", "boolean", "null"})
_MOST_PARTS = 20_000
_MOST_UNROLLED = 30
_MOST_ALTERNATIVES = 300
"""Each is compared with each other one."""


def rewrite(schema: dict[str, Any], rules: SchemaProfile) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema as the rules want it, with marks, and the keywords that it had to leave out.

    Raises SchemaNotSupportedError naming the keyword that stands in the way.
    """
    rewriter = _Rewriter(schema, rules)
    try:
        marked = rewriter.run()
        _check_unions(marked)
    except RecursionError:
        raise SchemaNotSupportedError("$ref: references too deep within each other") from None
    return marked, tuple(sorted(rewriter.unkept))


def wrap(schema: dict[str, Any]) -> dict[str, Any]:
    """An object with the schema as its only field, and a mark that says so."""
    defs = dict(schema.get("$defs", {}))
    body = {key: value for key, value in schema.items() if key != "$defs"}
    if any(part.get("$ref") == "#" for part in all_parts(schema)):
        name = next(name for name in (f"root{'_' * n}" for n in range(99)) if name not in defs)
        defs = {key: _rename(part, name) for key, part in {**defs, name: body}.items()}
        body = {"$ref": DEFS + name}
    whole: dict[str, Any] = {
        "type": "object",
        "properties": {VALUE: body},
        "required": [VALUE],
        "additionalProperties": False,
        MARK: {"whole": True},
    }
    return {**whole, "$defs": defs} if defs else whole


def _rename(part: Schema, name: str) -> Schema:
    if isinstance(part, dict) and part.get("$ref") == "#":
        part = {**part, "$ref": DEFS + name}
    return map_parts(part, lambda _, inner, __: _rename(inner, name))


class _Rewriter(KindRewriter):
    """Walks through one schema; definitions are rewritten when they are first referred to."""

    def __init__(self, root: dict[str, Any], rules: SchemaProfile):
        super().__init__(root, rules)
        self._open = ["#"]
        self._of_root: set[str] = set()
        self._unrolled = 0
        self._parts = 0
        self._defs: dict[str, Schema] = {}

    def run(self) -> dict[str, Any]:
        body: Schema = {key: value for key, value in self._root.items() if key != "$defs"}
        while isinstance(body, dict) and body.keys() == {"$ref"}:
            self._of_root.add(body["$ref"])
            body = resolve(body["$ref"], self._root)
        marked = self.rewrite(body)
        if self._defs:
            marked = {**marked, "$defs": self._defs}
        if self._rules.object_root and marked.get("type") != "object":
            return wrap(marked)
        return marked

    def rewrite(self, part: Schema) -> dict[str, Any]:
        """One part of the schema and all within it."""
        self._parts += 1
        if isinstance(part, bool):
            raise SchemaNotSupportedError(
                "a part that accepts anything" if part else "a part that accepts nothing"
            )
        if self._parts > _MOST_PARTS:
            raise SchemaNotSupportedError("too large once references are written out")
        if "$ref" in part and not part.keys() - {"$ref"} - NOTES:
            return self._reference(part)
        if "$ref" in part or "allOf" in part:
            return self._unroll(flatten(part, self._root))
        part = self._without_conditions(part)
        return self._union(part) if "anyOf" in part else self._by_kind(part)

    def _unroll(self, part: dict[str, Any]) -> dict[str, Any]:
        self._unrolled += 1
        if self._unrolled > _MOST_UNROLLED:
            raise SchemaNotSupportedError("$ref with neighbours that leads back to itself")
        rewritten = self.rewrite(part)
        self._unrolled -= 1
        return rewritten

    def _reference(self, part: dict[str, Any]) -> dict[str, Any]:
        """A reference with notes beside it is written out, where that comes to an end."""
        reference = "#" if part["$ref"] in self._of_root else part["$ref"]
        target = resolve(reference, self._root)
        leads_back = reference in self._open
        if leads_back and self._rules.references is not References.ALL:
            raise SchemaNotSupportedError(f"$ref: {reference} is recursive")
        has_notes = bool(part.keys() & self.kept_notes)
        inline = self._rules.references is References.NONE or has_notes
        if inline and not leads_back and isinstance(target, dict):
            notes = {key: part[key] for key in part if key != "$ref"}
            return self._within(reference, {**target, **notes})
        name = reference.removeprefix(DEFS)
        if reference != "#" and name not in self._defs:
            self._defs[name] = True  # its place, for references in it that lead back
            self._defs[name] = self._within(reference, target)
        return {"$ref": reference}

    def _within(self, reference: str, target: Schema) -> dict[str, Any]:
        self._open.append(reference)
        rewritten = self.rewrite(target)
        self._open.remove(reference)
        return rewritten

    def _without_conditions(self, part: dict[str, Any]) -> dict[str, Any]:
        """Without `not` and `if`, and with `anyOf` for `oneOf`."""
        left = [key for key in _CONDITIONS if key in part]
        if "oneOf" in part and not self._exclude_each_other(part["oneOf"]):
            left.append("oneOf")
        kept = {key: value for key, value in part.items() if key not in (*left, "oneOf")}
        if "oneOf" in part:
            if "anyOf" in part:
                raise SchemaNotSupportedError("anyOf and oneOf side by side")
            kept["anyOf"] = part["oneOf"]
        self.leave_out(kept, {key: part[key] for key in left if key != "oneOf"})
        self.unkept.update(left)
        return kept

    def _exclude_each_other(self, branches: list[Schema]) -> bool:
        return len(branches) <= _MOST_ALTERNATIVES and are_disjoint(branches, self._root)

    def _union(self, part: dict[str, Any]) -> dict[str, Any]:
        notes = {key: part[key] for key in self.kept_notes if key in part}
        rest = {key: value for key, value in part.items() if key not in NOTES | {"anyOf"}}
        branches = [branch for branch in part["anyOf"] if branch is not False]
        _check_count(branches)
        if rest:
            branches = [
                rest if branch is True else merge(rest, flatten(branch, self._root))
                for branch in branches
            ]
        rewritten: list[dict[str, Any]] = []
        for branch in map(self.rewrite, branches):
            alone = branch.keys() == {"anyOf"}
            found = branch["anyOf"] if alone else [branch]
            rewritten += [one for one in found if one not in rewritten]
        if not rewritten:
            raise SchemaNotSupportedError("anyOf: nothing is accepted")
        one = (
            rewritten[0] if len(rewritten) == 1 and not notes.keys() & rewritten[0].keys() else None
        )
        return {**notes, **one} if one and "$ref" not in one else {**notes, "anyOf": rewritten}

    def _by_kind(self, part: dict[str, Any]) -> dict[str, Any]:
        values = values_of(part)
        if values is not None:
            return self.rewrite_values(part, values)
        kinds = part.get("type")
        if kinds is None:
            raise SchemaNotSupportedError("a part without a type")
        if isinstance(kinds, str):
            return self.rewrite_kind(part, kinds)
        if self._rules.type_lists and set(kinds) <= _SCALARS:
            return self.rewrite_scalar(part, kinds)
        return self._union({"anyOf": [_of_kind(part, kind) for kind in kinds]} | self.notes(part))


def _of_kind(part: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a part asks of one kind of value."""
    own = OF_KIND.get(kind, frozenset())
    return {"type": kind, **{key: value for key, value in part.items() if key in own}}


def _check_count(alternatives: list[Any]) -> None:
    if len(alternatives) > _MOST_ALTERNATIVES:
        raise SchemaNotSupportedError(
            f"anyOf: {len(alternatives):,} alternatives are too many to compare"
        )


def _check_unions(marked: dict[str, Any]) -> None:
    """Raise SchemaNotSupportedError where a value does not show which alternative it is of."""
    for part in all_parts(marked):
        if "anyOf" not in part or not changes_anything(part, marked):
            continue
        found = list(leaves(part, marked))
        _check_count(found)
        for one, other in combinations(found, 2):
            changed = changes_anything(one, marked) or changes_anything(other, marked)
            if changed and one != other and not can_be_told_apart(one, other):
                raise SchemaNotSupportedError("anyOf: alternatives that cannot be told apart")
