"""One kind of value after the other, as a provider's rules want it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from oumi.core.json_schema.parts import Schema, resolve
from oumi.structured.schema.merge import SchemaNotSupportedError, kind_of, values_of
from oumi.structured.schema.profiles import NUMBER, OF_KIND, STRING, SchemaProfile
from oumi.structured.schema.restore import MARK, NAME, VALUE, place

_NULL: dict[str, Any] = {"type": "null"}


class KindRewriter(ABC):
    """Rewrites objects, arrays and plain values; what holds parts comes from a subclass."""

    kept_notes: ClassVar[tuple[str, ...]] = ("title", "description")

    def __init__(self, root: dict[str, Any], rules: SchemaProfile):
        self._root = root
        self._rules = rules
        self.unkept: set[str] = set()

    @abstractmethod
    def rewrite(self, part: Schema) -> dict[str, Any]:
        """One part of the schema and all within it."""

    def rewrite_kind(self, part: dict[str, Any], kind: str) -> dict[str, Any]:
        """A part that accepts one kind of value."""
        if kind == "object":
            return self._object(part)
        return self._array(part) if kind == "array" else self.rewrite_scalar(part, kind)

    def rewrite_scalar(self, part: dict[str, Any], kinds: str | list[str]) -> dict[str, Any]:
        """A part that accepts plain values."""
        listed = [kinds] if isinstance(kinds, str) else kinds
        own = frozenset().union(*(OF_KIND.get(kind, frozenset()) for kind in listed))
        return self._keep({**self.notes(part), "type": kinds}, part, own)

    def rewrite_values(self, part: dict[str, Any], values: list[Any]) -> dict[str, Any]:
        """A part that accepts the values of `enum` or `const`, those that its other keywords rule
        out left out.
        """
        import jsonschema_rs

        if any(isinstance(value, dict | list) for value in values):
            raise SchemaNotSupportedError("enum with objects or arrays")
        own = {key: value for key, value in part.items() if key in STRING | NUMBER | {"type"}}
        fits = jsonschema_rs.validator_for(own).is_valid
        values = [value for value in values if fits(value)]
        if not values:
            raise SchemaNotSupportedError("enum: nothing is accepted")
        return self._values(part, values)

    def notes(self, part: dict[str, Any]) -> dict[str, Any]:
        """What a part says for people and models."""
        return {key: part[key] for key in self.kept_notes if key in part}

    def leave_out(self, result: dict[str, Any], left_out: dict[str, Any]) -> None:
        """Tell the model what the schema no longer says."""
        if not left_out:
            return
        self.unkept.update(left_out)
        told = ", ".join(
            f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in left_out.items()
        )
        before = result.get("description")
        result["description"] = f"{before} ({told})" if before else told

    def _values(self, part: dict[str, Any], values: list[Any]) -> dict[str, Any]:
        found = list(dict.fromkeys(kind_of(value) for value in values))
        kinds = part.get("type", found)
        if isinstance(kinds, list):
            kinds = (
                found if set(found) <= set(kinds) else [kind for kind in kinds if kind != "null"]
            )
        if isinstance(kinds, list) and len(kinds) > 1 and not self._rules.type_lists:
            apart = [[v for v in values if kind_of(v) == kind] for kind in found]
            return {**self.notes(part), "anyOf": [self._values({}, group) for group in apart]}
        kinds = kinds[0] if isinstance(kinds, list) and len(kinds) == 1 else kinds
        result = {**self.notes(part), "type": kinds}
        if "const" in part and "const" in self._rules.keywords:
            return {**result, "const": values[0]}
        return {**result, "enum": values}

    def _keep(
        self, result: dict[str, Any], part: dict[str, Any], own: frozenset[str]
    ) -> dict[str, Any]:
        """Add the keywords that the provider takes, and leave the others out."""
        asked = {key: value for key, value in part.items() if key in own}
        kept = {key: value for key, value in asked.items() if self._takes(key, value)}
        result.update(kept)
        self.leave_out(result, {key: asked[key] for key in asked if key not in kept})
        return result

    def _takes(self, keyword: str, value: Any) -> bool:
        rules = self._rules
        if keyword == "format" and rules.formats is not None:
            return "format" in rules.keywords and value in rules.formats
        if keyword == "minItems" and rules.most_min_items is not None:
            return bool(value <= rules.most_min_items)
        return keyword in rules.keywords

    def _object(self, part: dict[str, Any]) -> dict[str, Any]:
        extra = part.get("additionalProperties")
        if extra is None and part.get("unevaluatedProperties") is False:
            extra = False
        patterns = part.get("patternProperties", {})
        has_fields = bool(part.get("properties"))
        if self._rules.closed and not has_fields and (patterns or isinstance(extra, dict)):
            return self._pairs(part, patterns, extra)
        if self._rules.closed:
            self._check_closed(extra, patterns, has_fields=has_fields)
        elif patterns and extra is False:
            raise SchemaNotSupportedError("patternProperties")
        return self._fields(part, extra)

    def _check_closed(self, extra: Any, patterns: Any, *, has_fields: bool) -> None:
        if patterns:
            raise SchemaNotSupportedError("patternProperties beside properties")
        if extra is True or isinstance(extra, dict):
            raise SchemaNotSupportedError("additionalProperties beside properties")
        if not has_fields and extra is None:
            raise SchemaNotSupportedError("an object of any fields")

    def _fields(self, part: dict[str, Any], extra: Any) -> dict[str, Any]:
        required = part.get("required", [])
        fields = dict(part.get("properties", {}))
        if self._rules.closed:
            fields = {name: schema for name, schema in fields.items() if schema is not False}
            if not set(required) <= fields.keys():
                raise SchemaNotSupportedError("required names a field that is not in properties")
        result = {**self.notes(part), "type": "object", "properties": {}, "required": required}
        mark: dict[str, list[str]] = {}
        for name, schema in fields.items():
            optional = self._rules.all_required and name not in required
            rewrite = self._optional(name, schema, mark) if optional else self.rewrite(schema)
            result["properties"][name] = rewrite
        if self._rules.all_required:
            result["required"] = list(fields)
        if self._rules.closed or extra is not None:
            result["additionalProperties"] = (
                self.rewrite(extra) if isinstance(extra, dict) else bool(extra)
            )
        if mark:
            result[MARK] = mark
        done = {"properties", "required", "additionalProperties"}
        if extra is False:
            done.add("unevaluatedProperties")
        return self._keep(result, part, OF_KIND["object"] - done)

    def _optional(self, name: str, schema: Schema, mark: dict[str, list[str]]) -> dict[str, Any]:
        """A field that may be missing. One whose default is null and that may be null is just
        null then: both mean the same.
        """
        rewritten = self.rewrite(schema)
        null_is_a_value = self._accepts_null(schema)
        is_dict = isinstance(schema, dict)
        if null_is_a_value and is_dict and schema.get("default", "none") is None:  # type: ignore[union-attr]
            return rewritten
        mark.setdefault("absent", []).append(name)
        if null_is_a_value:
            mark.setdefault("boxed", []).append(name)
            rewritten = _object_of({VALUE: rewritten})
        alternatives = rewritten["anyOf"] if rewritten.keys() == {"anyOf"} else [rewritten]
        return {"anyOf": [*alternatives, _NULL]}

    def _accepts_null(self, part: Schema) -> bool:
        """Whether null may be accepted; in doubt it is."""
        if isinstance(part, bool):
            return part
        values = values_of(part)
        if values is not None and None not in values:
            return False
        if "type" in part and "null" not in part["type"]:
            return False
        if "$ref" in part and not self._accepts_null(resolve(part["$ref"], self._root)):
            return False
        if not all(map(self._accepts_null, part.get("allOf", ()))):
            return False
        return all(
            any(map(self._accepts_null, part[key])) for key in ("anyOf", "oneOf") if key in part
        )

    def _pairs(self, part: dict[str, Any], patterns: dict[str, Any], extra: Any) -> dict[str, Any]:
        """An object of any names, as a list of pairs."""
        if patterns and (extra is not False or len(patterns) > 1):
            raise SchemaNotSupportedError("patternProperties that leave other names open")
        if part.get("required") or part.get("properties"):
            raise SchemaNotSupportedError("required names a field that is not in properties")
        names = part.get("propertyNames", True)
        name: dict[str, Any] = {"type": "string", **(names if isinstance(names, dict) else {})}
        value = extra
        for pattern, schema in patterns.items():
            if "pattern" in name:
                raise SchemaNotSupportedError("propertyNames beside patternProperties")
            name["pattern"], value = pattern, schema
        pair = _object_of({NAME: self.rewrite(name), VALUE: self.rewrite(value)})
        result = {**self.notes(part), "type": "array", "items": pair, MARK: {"pairs": True}}
        sizes = {f"{key}Items": part.get(f"{key}Properties") for key in ("min", "max")}
        self._keep(result, {k: v for k, v in sizes.items() if v is not None}, OF_KIND["array"])
        # Two pairs of the same name are one field.
        self.unkept.update({"minProperties"} & part.keys())
        done = {"additionalProperties", "patternProperties", "propertyNames", "minProperties"}
        others = OF_KIND["object"] - done - {"maxProperties", "unevaluatedProperties", "required"}
        return self._keep(result, part, others - {"properties"})

    def _array(self, part: dict[str, Any]) -> dict[str, Any]:
        heads = part.get("prefixItems", [])
        items = part.get("items", part.get("unevaluatedItems", True))
        if heads and "prefixItems" not in self._rules.keywords:
            return self._tuple(part, heads, items)
        result = {**self.notes(part), "type": "array"}
        if heads:
            result["prefixItems"] = [self.rewrite(head) for head in heads]
        if not (heads and isinstance(items, bool)):
            result["items"] = self.rewrite(items)
        elif items is False:
            self.leave_out(result, {"items": False})
        return self._keep(result, part, OF_KIND["array"] - {"items", "prefixItems"})

    def _tuple(self, part: dict[str, Any], heads: list[Any], items: Any) -> dict[str, Any]:
        """A list of fixed places, as an object."""
        count = len(heads)
        most = part.get("maxItems", count if items is False else None)
        if part.get("minItems", 0) != count or most != count:
            raise SchemaNotSupportedError("prefixItems of a list whose length is open")
        fields = {place(at): self.rewrite(head) for at, head in enumerate(heads)}
        result = {**self.notes(part), **_object_of(fields), MARK: {"tuple": True}}
        done = {"items", "prefixItems", "minItems", "maxItems", "unevaluatedItems"}
        return self._keep(result, part, OF_KIND["array"] - done)


def _object_of(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
