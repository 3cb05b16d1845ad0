"""Conversion of older drafts of JSON Schema, and of OpenAPI 3.0 schemas, to draft 2020-12.

What changed from draft to draft: https://json-schema.org/specification-links and
https://json-schema.org/draft/2020-12/release-notes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin

from oumi.core.json_schema.subschemas import DEFS, Schema, map_subschemas

# Up to draft 7, `$ref` hides the keywords beside it:
# https://json-schema.org/draft-07/json-schema-core#rfc.section.8.3
_REF_HIDES_SIBLINGS = re.compile(r"draft-0[3-7]")
_DOCUMENT_KEYWORDS = (
    "$schema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$vocabulary",
)
_EXCLUSIVE_BOUNDS = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}

_Path = tuple[str, ...]


def normalise(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in draft 2020-12, with each reference as `#` or `#/$defs/NAME`.

    Raises ValueError for a reference to another document or to a place that does not exist.
    """
    return _Normaliser(schema).run()


class _Normaliser:
    """Converts one document, and collects the definitions that its references need.

    A path is the list of keys from the document's root to a schema. Each path that is referred to
    gets a name under `$defs`; all definitions of the document are kept, used or not.
    """

    def __init__(self, document: dict[str, Any]):
        self._document = document
        self._ref_hides_siblings = bool(
            _REF_HIDES_SIBLINGS.search(str(document.get("$schema", "")))
        )
        self._base_uri = _identifier(document)
        self._path_by_uri = dict(_identified_paths(document, (), self._base_uri))
        self._names: dict[_Path, str] = {}
        self._pending: list[_Path] = []
        for keyword in ("definitions", "$defs"):
            for name in _as_dict(document.get(keyword)):
                self._name_for((keyword, name))

    def run(self) -> dict[str, Any]:
        schema = self._convert(self._document)
        defs = {}
        while self._pending:  # converting a definition may add further ones
            path = self._pending.pop(0)
            defs[self._names[path]] = self._convert(self._lookup(path))
        if not isinstance(schema, dict):
            raise ValueError("a schema is an object")
        return {**schema, "$defs": defs} if defs else schema

    def _convert(self, schema: Any) -> Schema:
        if not isinstance(schema, dict):
            return schema  # type: ignore[no-any-return]  # validated later, by the meta-schema
        schema = _modernise(schema)
        if "$ref" in schema:
            reference = self._local_reference(schema["$ref"])
            siblings = {} if self._ref_hides_siblings else schema
            schema = {**siblings, "$ref": reference}
        return map_subschemas(schema, lambda _, subschema: self._convert(subschema))

    def _local_reference(self, reference: Any) -> str:
        if not isinstance(reference, str):
            raise ValueError(f"$ref: expected text, found {reference!r:.80}")
        path = self._path_of(reference)
        return f"{DEFS}{self._name_for(path)}" if path else "#"

    def _path_of(self, reference: str) -> _Path:
        absolute = urljoin(self._base_uri, reference) if self._base_uri else reference
        uri, _, fragment = absolute.partition("#")
        for name in (absolute, reference):
            if name in self._path_by_uri:
                return self._path_by_uri[name]
        if uri.rstrip("#") not in ("", self._base_uri, *self._path_by_uri):
            raise ValueError(
                f"$ref: {reference!r} is another document; nothing is fetched, so put it into $defs"
            )
        start, keys = self._path_by_uri.get(uri, ()), fragment.split("/")
        # Anchors were looked up above, so the fragment is a JSON pointer, which begins with "/".
        path = (*start, *map(_unescape, keys[0 if keys[0] else 1 :]))
        self._lookup(path, reference)
        return path

    def _lookup(self, path: _Path, reference: str = "") -> Any:
        found: Any = self._document
        for key in path:
            try:
                found = found[int(key) if isinstance(found, list) else key]
            except (LookupError, TypeError, ValueError):
                raise ValueError(f"$ref: {reference!r} leads nowhere") from None
        return found

    def _name_for(self, path: _Path) -> str:
        """The name under `$defs` for a path; one that is new is queued for conversion."""
        if path not in self._names:
            name = base = re.sub(r"[^\w.-]+", "_", path[-1], flags=re.ASCII) or "_"
            count = 1
            while name in self._names.values():
                count += 1
                name = f"{base}_{count}"
            self._names[path] = name
            self._pending.append(path)
        return self._names[path]


def _modernise(schema: dict[str, Any]) -> dict[str, Any]:
    """Convert the keywords of one schema; its subschemas stay unchanged."""
    schema = {key: value for key, value in schema.items() if key not in _DOCUMENT_KEYWORDS}
    if isinstance(schema.get("id"), str):  # draft 4
        del schema["id"]
    for keyword in ("definitions", "$defs"):
        schema.pop(keyword, None)
    for keyword in ("$recursiveRef", "$dynamicRef"):
        if keyword in schema:
            schema["$ref"] = schema.pop(keyword)
    _modernise_arrays(schema)
    _modernise_bounds(schema)
    _modernise_dependencies(schema)
    return _with_null(schema) if schema.pop("nullable", False) is True else schema


def _modernise_arrays(schema: dict[str, Any]) -> None:
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema["additionalItems"]
    schema.pop("additionalItems", None)


def _modernise_bounds(schema: dict[str, Any]) -> None:
    for bound, exclusive in _EXCLUSIVE_BOUNDS.items():
        if isinstance(schema.get(exclusive), bool):
            is_exclusive = schema.pop(exclusive)
            if is_exclusive and bound in schema:
                schema[exclusive] = schema.pop(bound)


def _modernise_dependencies(schema: dict[str, Any]) -> None:
    dependencies = schema.pop("dependencies", None)
    for name, dependency in _as_dict(dependencies).items():
        dependency = [dependency] if isinstance(dependency, str) else dependency
        keyword = "dependentRequired" if isinstance(dependency, list) else "dependentSchemas"
        schema[keyword] = {**schema.get(keyword, {}), name: dependency}


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Accept null besides, as `nullable` of OpenAPI 3.0 does:
    https://spec.openapis.org/oas/v3.0.3#schema-nullable
    """
    types = schema.get("type")
    if isinstance(types, str):
        schema["type"] = [types, "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema if types else {"anyOf": [schema, {"type": "null"}]}


def _identified_paths(value: Any, path: _Path, base_uri: str) -> Iterator[tuple[str, _Path]]:
    """The URIs that `$id` and anchors give to schemas of a document, with their paths."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _identified_paths(item, (*path, str(index)), base_uri)
    if not isinstance(value, dict):
        return
    identifier = _identifier(value)
    if identifier and path:
        base_uri = urljoin(base_uri, identifier)
        yield base_uri, path
    for keyword in ("$anchor", "$dynamicAnchor"):
        if isinstance(value.get(keyword), str):
            yield f"{base_uri}#{value[keyword]}", path
    for key, item in value.items():
        if key not in ("enum", "const", "default", "examples"):  # values, not schemas
            yield from _identified_paths(item, (*path, key), base_uri)


def _identifier(schema: dict[str, Any]) -> str:
    """The `$id` of a schema, or its `id` (draft 4); empty if it has none."""
    # `id` counts beside `$schema` only: elsewhere it may be a name, such as that of a property.
    uri = schema.get("$id") or (schema.get("id") if "$schema" in schema else "") or ""
    return uri.rstrip("#") if isinstance(uri, str) else ""


def _unescape(key: str) -> str:
    """Decode a key of a JSON pointer in a URI: https://www.rfc-editor.org/rfc/rfc6901#section-6"""
    return unquote(key).replace("~1", "/").replace("~0", "~")


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
