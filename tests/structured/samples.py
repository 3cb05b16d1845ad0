"""Random values that mostly satisfy a schema; the caller leaves out those that do not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from oumi.core.json_schema.subschemas import resolve

_DEEP = 4
_NAMES = st.sampled_from(["a", "b", "x-a", "value", "key", "ä", ""])
_ANYTHING = st.sampled_from([None, True, 0, 1.5, "a", [], [1], {}, {"a": None}])
_KINDS = ("string", "integer", "number", "boolean", "null", "object", "array")
_OF_FORMAT = {
    "date": ["2026-02-28"],
    "time": ["12:30:00Z"],
    "date-time": ["2026-02-28T12:30:00Z"],
    "duration": ["P1D", "PT3H"],
    "email": ["a@b.test"],
    "hostname": ["a.test"],
    "ipv4": ["127.0.0.1"],
    "ipv6": ["::1"],
    "uuid": ["12345678-1234-4234-8234-123456789abc"],
    "uri": ["https://a.test/b"],
    "idn-email": ["a@b.test"],
}


@st.composite
def values(draw: st.DrawFn, root: dict[str, Any], part: Any = ..., depth: int = 0) -> Any:
    """A value of a schema, or one that is close to it."""
    part = root if part is ... else part
    if isinstance(part, bool):
        return draw(_ANYTHING)
    part = _choose_alternative(draw, part, root, depth)
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return draw(st.sampled_from(part["enum"]))
    kinds = part.get("type", _KINDS)
    kind = draw(st.sampled_from([kinds] if isinstance(kinds, str) else kinds))
    if kind == "object":
        return _object(draw, part, root, depth)
    return _array(draw, part, root, depth) if kind == "array" else _scalar(draw, part, kind)


def _choose_alternative(
    draw: Any, part: dict[str, Any], root: dict[str, Any], depth: int
) -> dict[str, Any]:
    """One alternative of a schema, with what applies besides it merged in."""
    while part.keys() & {"$ref", "anyOf", "oneOf", "allOf"}:
        rest = {k: v for k, v in part.items() if k not in ("$ref", "anyOf", "oneOf", "allOf")}
        found = [resolve(part["$ref"], root)] if "$ref" in part else []
        found += part.get("allOf", [])
        for key in {"anyOf", "oneOf"} & part.keys():
            branches = part[key]
            if depth > _DEEP:  # what ends, where there is a choice
                branches = [one for one in branches if "$ref" not in str(one)] or branches
            found.append(draw(st.sampled_from(branches)))
        for one in found:
            rest = _both(rest, one) if isinstance(one, dict) else rest
        part = rest
    return part


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**other, **one}
    for key in {"required", "allOf"} & one.keys() & other.keys():
        merged[key] = [*one[key], *other[key]]
    for key in {"properties"} & one.keys() & other.keys():
        merged[key] = {**other[key], **one[key]}
    return merged


def _object(draw: Any, part: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    needed = part.get("required", ())
    deep = depth > _DEEP
    fields = {
        name: draw(values(root, inner, depth + 1))
        for name, inner in part.get("properties", {}).items()
        if name in needed or (not (deep or inner is False) and draw(st.booleans()))
    }
    for pattern, inner in part.get("patternProperties", {}).items():
        fields[draw(st.from_regex(pattern))] = draw(values(root, inner, depth + 1))
    extra = part.get("additionalProperties", False)
    if extra is not False and not deep:
        names = part.get("propertyNames", {}).get("pattern")
        name = st.from_regex(names, fullmatch=False) if names else _NAMES
        for key in draw(st.lists(name, unique=True, max_size=part.get("maxProperties", 3))):
            fields.setdefault(key, draw(values(root, extra, depth + 1)))
    return fields


def _array(draw: Any, part: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    heads, items = part.get("prefixItems", []), part.get("items", True)
    most = len(heads) if items is False else part.get("maxItems", max(3, len(heads)))
    least = min(part.get("minItems", 0), most)
    count = least if depth > _DEEP else draw(st.integers(least, most))
    inner = [heads[at] if at < len(heads) else items for at in range(count)]
    return [draw(values(root, one, depth + 1)) for one in inner]


def _scalar(draw: Any, part: dict[str, Any], kind: str) -> Any:
    if kind == "string":
        return draw(_texts(part))
    if kind in ("integer", "number"):
        return draw(_numbers(part, kind))
    return draw(st.booleans()) if kind == "boolean" else None


def _texts(part: dict[str, Any]) -> Any:
    if "pattern" in part:
        return st.from_regex(part["pattern"])
    if part.get("format") in _OF_FORMAT:
        return st.sampled_from(_OF_FORMAT[part["format"]])
    least = part.get("minLength", 0)
    letters = st.sampled_from('ab "\\ä日🙂\n0')
    return st.text(letters, min_size=least, max_size=part.get("maxLength", least + 4))


def _numbers(part: dict[str, Any], kind: str) -> Any:
    low = part.get("minimum", part.get("exclusiveMinimum", -100))
    high = part.get("maximum", part.get("exclusiveMaximum", max(low, 100)))
    low = min(low, high)
    step = part.get("multipleOf")
    if step is not None:
        return st.integers(int(low / step), int(high / step)).map(lambda n: n * step)
    whole = st.integers(int(low), int(high))
    return whole if kind == "integer" else whole | st.floats(low, high)
