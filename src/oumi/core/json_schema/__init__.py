"""One normal form of a JSON schema, whichever way it was given.

The normal form is a dict of draft 2020-12 without `$schema`, `$id` or anchors, in which each
reference is `#` or `#/$defs/NAME`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from oumi.core.json_schema.drafts import normalise
from oumi.core.json_schema.limits import check_size, check_work

_INPUTS = "a Pydantic class, a dataclass, a TypedDict, a dict, JSON text, or the path of a file"


def to_json_schema(given: Any) -> dict[str, Any]:
    """The normal form of a schema. Raises ValueError for what is none, and for a hostile one.

    Nothing is fetched: a reference to another document is an error.
    """
    schema = _read(given)
    if not isinstance(schema, dict):
        raise ValueError(f"a schema is an object; found {type(schema).__name__}; give {_INPUTS}")
    check_size(schema)
    try:
        schema = normalise(schema)
        _check_keywords(schema)
        check_work(schema)
    except RecursionError as error:
        raise ValueError("$ref: references too deep within each other") from error
    _check_patterns(schema)
    return schema


def _read(given: Any) -> Any:
    if isinstance(given, dict):
        return given
    if isinstance(given, Path):
        return _read_file(given)
    if isinstance(given, str):
        return _read_text(given)
    try:
        return TypeAdapter(given).json_schema()
    except PydanticSchemaGenerationError as error:
        found = given.__name__ if isinstance(given, type) else type(given).__name__
        raise ValueError(f"expected {_INPUTS}; found {found}") from error
    except PydanticUserError as error:
        raise ValueError(f"{given!r:.80}: {error.message}") from error


def _read_text(text: str) -> Any:
    """JSON text, or what is in the file of that name."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if text.lstrip().startswith("{") or "\n" in text:
            raise ValueError(f"not JSON: {error}") from error
    return _read_file(Path(text))


def _read_file(path: Path) -> Any:
    try:
        return orjson.loads(path.expanduser().read_bytes())
    except OSError as error:
        raise ValueError(f"neither JSON nor a file: {path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error


def _check_patterns(schema: dict[str, Any]) -> None:
    """Raise ValueError for an expression that is none, or too large to be checked by."""
    import jsonschema_rs

    try:
        jsonschema_rs.validator_for(schema)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(str(part) for part in error.schema_path)
        raise ValueError(f"{place}: {error.message:.200}, or one that is too large") from error


def _check_keywords(schema: dict[str, Any]) -> None:
    """Raise ValueError where a keyword has a value that it cannot have."""
    import jsonschema_rs

    try:
        jsonschema_rs.meta.validate(schema)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(str(part) for part in error.instance_path)
        raise ValueError(f"not a JSON schema: {place}: {error.message}") from error
