"""Older drafts of JSON Schema, and the schemas of OpenAPI 3.0, to draft 2020-12.

What changed from draft to draft: https://json-schema.org/specification-links and
https://json-schema.org/draft/2020-12/release-notes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin

from oumi.core.json_schema.parts import DEFS, Schema, map_parts

_IGNORES_NEIGHBOURS = re.compile(r"draft-0[3-7]")
_OF_THE_DOCUMENT = (
    "$schema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$recursiveAnchor",
    "$vocabulary",
)
_BOUNDS = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}


def normalise(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema in draft 2020-12, each reference being `#` or `#/$defs/NAME`.

    Raises ValueError for a reference to another document or to nothing.
    """
    return _Normaliser(schema).run()


class _Normaliser:
    """One document: which places have names, and which definitions are needed."""

    def __init__(self, document: dict[str, Any]):
        self._document = document
        self._is_old = bool(_IGNORES_NEIGHBOURS.search(str(document.get("$schema", ""))))
        self._base = _identity(document)
        self._named = dict(_named_places(document, (), self._base))
        self._names: dict[tuple[str, ...], str] = {}
        self._waiting: list[tuple[str, ...]] = []
        for keyword in ("definitions", "$defs"):
            for name in _as_dict(document.get(keyword)):
                self._name_for((keyword, name))

    def run(self) -> dict[str, Any]:
        schema = self._convert(self._document)
        defs = {}
        while self._waiting:
            place = self._waiting.pop(0)
            defs[self._names[place]] = self._convert(self._find(place))
        if not isinstance(schema, dict):
            raise ValueError("a schema is an object")
        return {**schema, "$defs": defs} if defs else schema

    def _convert(self, part: Any) -> Schema:
        if not isinstance(part, dict):
            return part  # type: ignore[no-any-return]  # what it must be is checked afterwards
        part = _modernise(part)
        if "$ref" in part:
            reference = self._local(part["$ref"])
            part = {"$ref": reference} if self._is_old else {**part, "$ref": reference}
        return map_parts(part, lambda _, inner, __: self._convert(inner))

    def _local(self, reference: Any) -> str:
        if not isinstance(reference, str):
            raise ValueError(f"$ref: expected text, found {reference!r:.80}")
        place = self._place_of(reference)
        return f"{DEFS}{self._name_for(place)}" if place else "#"

    def _place_of(self, reference: str) -> tuple[str, ...]:
        whole = urljoin(self._base, reference) if self._base else reference
        uri, _, fragment = whole.partition("#")
        for name in (whole, reference):
            if name in self._named:
                return self._named[name]
        if uri.rstrip("#") not in ("", self._base, *self._named):
            raise ValueError(
                f"$ref: {reference!r} is another document; nothing is fetched, so put it into $defs"
            )
        start, steps = self._named.get(uri, ()), fragment.split("/")
        # A fragment is a pointer, which begins with a slash; anchors were looked up before.
        place = (*start, *map(_unescape, steps[0 if steps[0] else 1 :]))
        self._find(place, reference)
        return place

    def _find(self, place: tuple[str, ...], reference: str = "") -> Any:
        found: Any = self._document
        for step in place:
            try:
                found = found[int(step) if isinstance(found, list) else step]
            except (LookupError, TypeError, ValueError):
                raise ValueError(f"$ref: {reference!r} leads nowhere") from None
        return found

    def _name_for(self, place: tuple[str, ...]) -> str:
        if place not in self._names:
            name = base = re.sub(r"[^\w.-]+", "_", place[-1], flags=re.ASCII) or "_"
            count = 1
            while name in self._names.values():
                count += 1
                name = f"{base}_{count}"
            self._names[place] = name
            self._waiting.append(place)
        return self._names[place]


def _modernise(part: dict[str, Any]) -> dict[str, Any]:
    """The keywords of one schema, those within it left as they are."""
    part = {key: value for key, value in part.items() if key not in _OF_THE_DOCUMENT}
    if isinstance(part.get("id"), str):  # draft 4
        del part["id"]
    for keyword in ("definitions", "$defs"):
        part.pop(keyword, None)
    for keyword in ("$recursiveRef", "$dynamicRef"):
        if keyword in part:
            part["$ref"] = part.pop(keyword)
    _modernise_arrays(part)
    _modernise_bounds(part)
    _modernise_dependencies(part)
    return _nullable(part) if part.pop("nullable", False) is True else part


def _modernise_arrays(part: dict[str, Any]) -> None:
    if isinstance(part.get("items"), list):
        part["prefixItems"] = part.pop("items")
        if "additionalItems" in part:
            part["items"] = part["additionalItems"]
    part.pop("additionalItems", None)


def _modernise_bounds(part: dict[str, Any]) -> None:
    for bound, exclusive in _BOUNDS.items():
        if isinstance(part.get(exclusive), bool):
            is_exclusive = part.pop(exclusive)
            if is_exclusive and bound in part:
                part[exclusive] = part.pop(bound)


def _modernise_dependencies(part: dict[str, Any]) -> None:
    dependencies = part.pop("dependencies", None)
    for name, needed in _as_dict(dependencies).items():
        needed = [needed] if isinstance(needed, str) else needed
        keyword = "dependentRequired" if isinstance(needed, list) else "dependentSchemas"
        part[keyword] = {**part.get(keyword, {}), name: needed}


def _nullable(part: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0: `nullable` widens the `type` beside it."""
    kinds = part.get("type")
    if isinstance(kinds, str):
        part["type"] = [kinds, "null"]
    if isinstance(part.get("enum"), list) and None not in part["enum"]:
        part["enum"] = [*part["enum"], None]
    return part if kinds else {"anyOf": [part, {"type": "null"}]}


def _named_places(
    part: Any, place: tuple[str, ...], base: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names that identifiers and anchors give to places of a document."""
    if isinstance(part, list):
        for at, item in enumerate(part):
            yield from _named_places(item, (*place, str(at)), base)
    if not isinstance(part, dict):
        return
    own = _identity(part)
    if own and place:
        base = urljoin(base, own)
        yield base, place
    for keyword in ("$anchor", "$dynamicAnchor"):
        if isinstance(part.get(keyword), str):
            yield f"{base}#{part[keyword]}", place
    for key, item in part.items():
        if key not in ("enum", "const", "default", "examples"):
            yield from _named_places(item, (*place, key), base)


def _identity(part: dict[str, Any]) -> str:
    name = part.get("$id") or (part.get("id") if "$schema" in part else "") or ""
    return name.rstrip("#") if isinstance(name, str) else ""


def _unescape(step: str) -> str:
    """A step of a JSON pointer in a URI: https://www.rfc-editor.org/rfc/rfc6901#section-6"""
    return unquote(step).replace("~1", "/").replace("~0", "~")


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
