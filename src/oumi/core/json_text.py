"""One JSON reader and one JSON writer for the whole package: what was written is what is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError, from_json, to_jsonable_python


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, also for NaN and for nesting deeper than 200.

    If an object has a name twice, the last one counts, as in Python's json and orjson. Integers
    of any size are exact; orjson makes floats of large ones. Pydantic uses the same parser.
    """
    return from_json(text, allow_inf_nan=False, cache_strings="keys")


def read_json_leniently(text: bytes) -> Any:
    """The value of a JSON text as servers send it: not always in UTF-8, nor always strict JSON.

    NaN and infinities become null, what is no character becomes U+FFFD, and a byte order mark and
    raw control characters are taken. Raises ValueError for what is not JSON even so, and for
    nesting deeper than 200.
    """
    try:
        return parse_json(text)
    except ValueError:
        return parse_json(write_json(_read_with_python(text)))


def write_json(value: Any, *, sort_keys: bool = False, indent: bool = False) -> bytes:
    """The JSON text of any value that JSON has, integers of any size included.

    What it has no form for is written as the nearest that it has: NaN and infinities as null,
    half a surrogate pair as U+FFFD. Raises ValueError for values of other kinds, and where the
    nesting is deeper than Python's stack.
    """
    if not (sort_keys or indent):
        try:
            return orjson.dumps(value)  # with the option below it would take nearly twice as long
        except orjson.JSONEncodeError:
            pass
    option = orjson.OPT_NON_STR_KEYS
    option |= orjson.OPT_SORT_KEYS if sort_keys else 0
    option |= orjson.OPT_INDENT_2 if indent else 0
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:  # the compiled writer stops at 64 bits
        return _write_any(value, sort_keys, 2 if indent else None)


def replace_surrogates(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair that stands alone."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_with_python(text: bytes) -> Any:
    """What Python's own reader takes, which is more: NaN, control characters, lone surrogates."""
    try:
        return json.loads(text.decode("utf-8-sig", "replace"), strict=False)
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None


def _write_any(value: Any, sort_keys: bool, indent: int | None) -> bytes:
    separators = (",", ": " if indent else ":")
    try:
        text = json.dumps(
            _to_plain(value),
            ensure_ascii=False,
            separators=separators,
            sort_keys=sort_keys,
            indent=indent,
        )
    except RecursionError:
        raise ValueError("nested too deeply for JSON") from None
    return text.encode()


def _to_plain(value: Any) -> Any:
    if isinstance(value, str):
        return replace_surrogates(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {_to_plain(str(name)): _to_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(part) for part in value]
    try:
        return _to_plain(to_jsonable_python(value))
    except PydanticSerializationError:
        raise ValueError(f"not JSON: a value of the class {type(value).__name__}") from None
