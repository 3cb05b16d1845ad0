"""A JSON schema in its normal form, from whatever it is given as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from oumi.core.answer_type import AnswerType, TypedSchema, type_of_schema
from oumi.core.json_schema.complexity import MAX_BYTES, check_complexity, check_size
from oumi.core.json_schema.drafts import normalise
from oumi.core.json_schema.type_schema import schema_of_type
from oumi.core.regular_file import read_regular_file

_MAX_FILE_BYTES = 10 * MAX_BYTES  # white space does not count to the size of a schema
_INPUTS = "a Pydantic class, a dataclass, a TypedDict, a dict, JSON text, or the path of a file"


def to_json_schema(source: Any) -> dict[str, Any]:
    """The normal form of a schema; of a type one that remembers it (`type_of_schema`).

    `source` is a Pydantic class, a dataclass, a TypedDict or another type that Pydantic knows, a
    dict, JSON text, or the path of a file. Raises ValueError for anything else, for an invalid
    schema, and for one that no validator could work with in reasonable time. Nothing is fetched: a
    reference to another document is an error.
    """
    answer_type = _type_of(source)
    schema = _load(source) if isinstance(source, dict | Path | str) else _schema_of(source)
    if not isinstance(schema, dict):
        raise ValueError(f"a schema is an object; found {type(schema).__name__}; give {_INPUTS}")
    check_size(schema)
    try:
        schema = normalise(schema)
        _check_keywords(schema)
        check_complexity(schema)
    except RecursionError as error:
        raise ValueError("$ref: references too deep within each other") from error
    _check_patterns(schema)
    return schema if answer_type is None else TypedSchema(schema, answer_type)


def _load(source: dict[str, Any] | Path | str) -> Any:
    if isinstance(source, dict):
        return source
    if isinstance(source, Path):
        content = read_regular_file(source.expanduser(), _MAX_FILE_BYTES)
        return _parse_file(content, source)
    return _load_text(source)


def _type_of(source: Any) -> AnswerType | None:
    """The type that answers become: what was given, or what a schema was made of earlier."""
    if isinstance(source, dict):
        return type_of_schema(source)
    return None if isinstance(source, Path | str) else AnswerType(source)


def _schema_of(form: Any) -> dict[str, Any]:
    """The schema of a type. Raises ValueError for what Pydantic does not know."""
    try:
        return schema_of_type(form)
    except PydanticSchemaGenerationError as error:
        found = form.__name__ if isinstance(form, type) else type(form).__name__
        raise ValueError(f"expected {_INPUTS}; found {found}") from error
    except PydanticUserError as error:
        raise ValueError(f"{form!r:.80}: {error.message}") from error


def _load_text(text: str) -> Any:
    """Parse JSON text; other text is the path of a file."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if text.lstrip().startswith("{") or "\n" in text:
            raise ValueError(f"not JSON: {error}") from error
    try:
        content = read_regular_file(Path(text).expanduser(), _MAX_FILE_BYTES)
    except ValueError as error:
        raise ValueError(f"neither JSON nor a file: {error}") from error
    return _parse_file(content, text)


def _parse_file(content: bytes, path: str | Path) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error


def _check_keywords(schema: dict[str, Any]) -> None:
    """Raise ValueError where a keyword has an invalid value."""
    import jsonschema_rs

    try:
        jsonschema_rs.meta.validate(schema)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(str(part) for part in error.instance_path)
        raise ValueError(f"not a JSON schema: {place}: {error.message:.500}") from error


def _check_patterns(schema: dict[str, Any]) -> None:
    """Raise ValueError for a regular expression that is invalid or too large to compile."""
    import jsonschema_rs

    try:
        jsonschema_rs.validator_for(schema)
    except jsonschema_rs.ValidationError as error:
        place = ".".join(str(part) for part in error.schema_path)
        raise ValueError(f"{place}: {error.message:.200}, or one that is too large") from error
