"""Objects, arrays and scalars rewritten for a provider (rewrite.py says how)."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from oumi.core.json_schema.keywords import KEYWORDS_OF_TYPE, NUMBER_KEYWORDS, STRING_KEYWORDS
from oumi.core.json_schema.subschemas import Schema, resolve
from oumi.structured.schema.errors import SchemaNotSupportedError
from oumi.structured.schema.profiles import SchemaProfile
from oumi.structured.schema.restore import HINT, NAME, VALUE, item_field
from oumi.structured.schema.values import enum_of, type_of

_NULL: dict[str, Any] = {"type": "null"}


class TypeRewriter(ABC):
    """Rewrites schemas of one type; a subclass rewrites references and combinations of schemas."""

    kept_annotations: ClassVar[tuple[str, ...]] = ("title", "description")

    def __init__(self, root: dict[str, Any], profile: SchemaProfile):
        self._root = root
        self._profile = profile
        self.unenforced: set[str] = set()
        """Keywords that had to be left out."""

    @abstractmethod
    def rewrite(self, schema: Schema) -> dict[str, Any]:
        """A subschema rewritten, with all those within it."""

    def rewrite_type(self, schema: dict[str, Any], type_name: str) -> dict[str, Any]:
        """A schema of one type."""
        if type_name == "object":
            return self._rewrite_object(schema)
        if type_name == "array":
            return self._rewrite_array(schema)
        return self.rewrite_scalar(schema, type_name)

    def rewrite_scalar(self, schema: dict[str, Any], types: str | list[str]) -> dict[str, Any]:
        """A schema of scalars: strings, numbers, booleans and null."""
        listed = [types] if isinstance(types, str) else types
        keywords = frozenset().union(*(KEYWORDS_OF_TYPE.get(one, frozenset()) for one in listed))
        result = {**self.annotations(schema), "type": types}
        return self._add_keywords(result, schema, keywords)

    def rewrite_enum(self, schema: dict[str, Any], values: list[Any]) -> dict[str, Any]:
        """A schema that lists its values, without those that its other keywords exclude."""
        import jsonschema_rs

        if any(isinstance(value, dict | list) for value in values):
            raise SchemaNotSupportedError("enum with objects or arrays")
        keywords = STRING_KEYWORDS | NUMBER_KEYWORDS | {"type"}
        others = {key: value for key, value in schema.items() if key in keywords}
        is_valid = jsonschema_rs.validator_for(others).is_valid
        values = [value for value in values if is_valid(value)]
        if not values:
            raise SchemaNotSupportedError("enum: nothing is accepted")
        return self._list_values(schema, values)

    def annotations(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The annotations of a schema that are sent on."""
        return {key: schema[key] for key in self.kept_annotations if key in schema}

    def describe(self, result: dict[str, Any], left_out: dict[str, Any]) -> None:
        """Write keywords that are left out of a schema into its description, for the model."""
        if not left_out:
            return
        self.unenforced.update(left_out)
        text = ", ".join(
            f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in left_out.items()
        )
        description = result.get("description")
        result["description"] = f"{description} ({text})" if description else text

    def _list_values(self, schema: dict[str, Any], values: list[Any]) -> dict[str, Any]:
        """A schema that lists values, in one `enum` or, where it must, in one for each type."""
        found = list(dict.fromkeys(type_of(value) for value in values))
        types = _narrow_types(schema.get("type", found), found)
        if isinstance(types, list) and len(types) > 1 and not self._profile.type_lists:
            groups = [[value for value in values if type_of(value) == one] for one in found]
            union = [self._list_values({}, group) for group in groups]
            return {**self.annotations(schema), "anyOf": union}
        types = types[0] if isinstance(types, list) and len(types) == 1 else types
        result = {**self.annotations(schema), "type": types}
        if "const" in schema and "const" in self._profile.keywords:
            return {**result, "const": values[0]}
        return {**result, "enum": values}

    def _add_keywords(
        self, result: dict[str, Any], schema: dict[str, Any], keywords: frozenset[str]
    ) -> dict[str, Any]:
        """Add those of a schema's keywords that the provider accepts; describe the others."""
        wanted = {key: value for key, value in schema.items() if key in keywords}
        accepted = {key: value for key, value in wanted.items() if self._accepts(key, value)}
        result.update(accepted)
        self.describe(result, {key: wanted[key] for key in wanted if key not in accepted})
        return result

    def _accepts(self, keyword: str, value: Any) -> bool:
        profile = self._profile
        if keyword == "format" and profile.formats is not None:
            return "format" in profile.keywords and value in profile.formats
        if keyword == "minItems" and profile.max_min_items is not None:
            return bool(value <= profile.max_min_items)
        return keyword in profile.keywords

    def _rewrite_object(self, schema: dict[str, Any]) -> dict[str, Any]:
        extra = schema.get("additionalProperties")
        if extra is None and schema.get("unevaluatedProperties") is False:
            extra = False
        patterns = schema.get("patternProperties", {})
        has_fields = bool(schema.get("properties"))
        if self._profile.closed and not has_fields and (patterns or isinstance(extra, dict)):
            return self._as_pairs(schema, patterns, extra)
        if self._profile.closed:
            _check_closed(extra, patterns, has_fields=has_fields)
        elif patterns and extra is False:
            raise SchemaNotSupportedError("patternProperties")
        return self._rewrite_fields(schema, extra)

    def _rewrite_fields(self, schema: dict[str, Any], extra: Schema | None) -> dict[str, Any]:
        """An object of named fields; `extra` is the schema of all others, None if unspecified."""
        required = schema.get("required", [])
        fields = self._fields(schema)
        result = {**self.annotations(schema), "type": "object", "properties": {}}
        hint: dict[str, list[str]] = {}
        for name, inner in fields.items():
            optional = self._profile.all_required and name not in required
            field = self._rewrite_optional(name, inner, hint) if optional else self.rewrite(inner)
            result["properties"][name] = field
        result["required"] = list(fields) if self._profile.all_required else required
        if self._profile.closed or extra is not None:
            result["additionalProperties"] = (
                self.rewrite(extra) if isinstance(extra, dict) else bool(extra)
            )
        if hint:
            result[HINT] = hint
        done = {"properties", "required", "additionalProperties"}
        if extra is False:
            done.add("unevaluatedProperties")
        return self._add_keywords(result, schema, KEYWORDS_OF_TYPE["object"] - done)

    def _fields(self, schema: dict[str, Any]) -> dict[str, Schema]:
        """The named fields, without those of closed objects that accept no value."""
        fields = dict(schema.get("properties", {}))
        if not self._profile.closed:
            return fields
        fields = {name: inner for name, inner in fields.items() if inner is not False}
        if not set(schema.get("required", [])) <= fields.keys():
            raise SchemaNotSupportedError("required names a field that is not in properties")
        return fields

    def _rewrite_optional(
        self, name: str, schema: Schema, hint: dict[str, list[str]]
    ) -> dict[str, Any]:
        """An optional field as a required one that may be null.

        Where the default is null already, null and a missing field mean the same, so there is
        nothing to restore.
        """
        rewritten = self.rewrite(schema)
        null_is_a_value = self._accepts_null(schema)
        default = schema.get("default", "none") if isinstance(schema, dict) else "none"
        if null_is_a_value and default is None:
            return rewritten
        hint.setdefault("nullable", []).append(name)
        if null_is_a_value:
            hint.setdefault("boxed", []).append(name)
            rewritten = _object_of({VALUE: rewritten})
        branches = rewritten["anyOf"] if rewritten.keys() == {"anyOf"} else [rewritten]
        return {"anyOf": [*branches, _NULL]}

    def _accepts_null(self, schema: Schema) -> bool:
        """Whether null may be accepted; in doubt True."""
        if isinstance(schema, bool):
            return schema
        values = enum_of(schema)
        if values is not None and None not in values:
            return False
        if "type" in schema and "null" not in schema["type"]:
            return False
        if "$ref" in schema and not self._accepts_null(resolve(schema["$ref"], self._root)):
            return False
        if not all(map(self._accepts_null, schema.get("allOf", ()))):
            return False
        unions = [schema[key] for key in ("anyOf", "oneOf") if key in schema]
        return all(any(map(self._accepts_null, branches)) for branches in unions)

    def _as_pairs(
        self, schema: dict[str, Any], patterns: dict[str, Any], extra: Any
    ) -> dict[str, Any]:
        """An object of any field names, as an array of objects with a name and a value."""
        if patterns and (extra is not False or len(patterns) > 1):
            raise SchemaNotSupportedError("patternProperties that leave other names open")
        if schema.get("required") or schema.get("properties"):
            raise SchemaNotSupportedError("required names a field that is not in properties")
        names = schema.get("propertyNames", True)
        name: dict[str, Any] = {"type": "string", **(names if isinstance(names, dict) else {})}
        value = extra
        for pattern, inner in patterns.items():
            if "pattern" in name:
                raise SchemaNotSupportedError("propertyNames beside patternProperties")
            name["pattern"], value = pattern, inner
        pair = _object_of({NAME: self.rewrite(name), VALUE: self.rewrite(value)})
        result = {**self.annotations(schema), "type": "array", "items": pair, HINT: {"pairs": True}}
        sizes = {f"{key}Items": schema.get(f"{key}Properties") for key in ("min", "max")}
        given = {key: size for key, size in sizes.items() if size is not None}
        self._add_keywords(result, given, KEYWORDS_OF_TYPE["array"])
        # minItems does not enforce it: two pairs of the same name are one field.
        self.unenforced.update({"minProperties"} & schema.keys())
        others = frozenset({"dependentRequired", "dependentSchemas"})
        return self._add_keywords(result, schema, others)

    def _rewrite_array(self, schema: dict[str, Any]) -> dict[str, Any]:
        prefix = schema.get("prefixItems", [])
        items = schema.get("items", schema.get("unevaluatedItems", True))
        if prefix and "prefixItems" not in self._profile.keywords:
            return self._as_object(schema, prefix, items)
        result = {**self.annotations(schema), "type": "array"}
        if prefix:
            result["prefixItems"] = [self.rewrite(item) for item in prefix]
        if not (prefix and isinstance(items, bool)):
            result["items"] = self.rewrite(items)
        elif items is False:
            self.describe(result, {"items": False})
        others = KEYWORDS_OF_TYPE["array"] - {"items", "prefixItems"}
        return self._add_keywords(result, schema, others)

    def _as_object(self, schema: dict[str, Any], prefix: list[Any], items: Any) -> dict[str, Any]:
        """An array of fixed items (a tuple), as an object with a field for each."""
        count = len(prefix)
        max_items = schema.get("maxItems", count if items is False else None)
        if schema.get("minItems", 0) != count or max_items != count:
            raise SchemaNotSupportedError("prefixItems of a list whose length is open")
        fields = {item_field(index): self.rewrite(item) for index, item in enumerate(prefix)}
        result = {**self.annotations(schema), **_object_of(fields), HINT: {"tuple": True}}
        done = {"items", "prefixItems", "minItems", "maxItems", "unevaluatedItems"}
        return self._add_keywords(result, schema, KEYWORDS_OF_TYPE["array"] - done)


def _narrow_types(types: Any, found: list[str]) -> Any:
    """Of a list of types, those that the values are of; a single type stays.

    If not all of them are listed (an integer is also a "number"), the list stays, and null only
    where it is a value.
    """
    if not isinstance(types, list):
        return types
    if set(found) <= set(types):
        return found
    return [name for name in types if name != "null" or name in found]


def _check_closed(extra: Any, patterns: Any, *, has_fields: bool) -> None:
    """Raise SchemaNotSupportedError for an object that cannot be closed."""
    if patterns:
        raise SchemaNotSupportedError("patternProperties beside properties")
    if extra is True or isinstance(extra, dict):
        raise SchemaNotSupportedError("additionalProperties beside properties")
    if not has_fields and extra is None:
        raise SchemaNotSupportedError("an object of any fields")


def _object_of(fields: dict[str, Any]) -> dict[str, Any]:
    """A closed object whose fields are all required."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
