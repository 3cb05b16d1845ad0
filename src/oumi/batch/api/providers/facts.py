"""The fields of a provider's reply. One that is only shown, and cannot be read, is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from oumi.backends.remote.errors import BadReplyError
from oumi.core.logs import logger
from oumi.core.types.batch import BatchStatus

# Seconds since the epoch have ten digits. What is larger counts in thousandths of a second, in
# millionths or in billionths.
_MAX_SECONDS = 1e11
_MAX_COUNT = 2**53


def read_field(reply: Any, name: str) -> Any:
    """A field that has to be there. Raises BadReplyError."""
    value = read_object(reply).get(name)
    if value is None:
        raise BadReplyError(f"a reply without {name!r}: {str(reply)[:200]}")
    return value


def read_object(value: Any) -> Mapping[str, Any]:
    """An object; empty for anything else."""
    return value if isinstance(value, Mapping) else {}


def read_objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list; none for anything else."""
    return (
        [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    )


def read_count(value: Any) -> int:
    """A number of rows, which may be written as text; 0 for anything else."""
    number = read_number(value)
    return int(number) if number is not None and 0 <= number < _MAX_COUNT else 0


def read_number(value: Any) -> float | None:
    """A finite number, which may be written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_status(
    name: str, known: Mapping[str, BatchStatus], ended: BatchStatus | None = None
) -> BatchStatus:
    """The status for a provider's name of it. For a name that is not known here, `ended`, which
    other fields of the reply may show, or else IN_PROGRESS.
    """
    if name in known:
        return known[name]
    status = ended or BatchStatus.IN_PROGRESS
    logger.warning("a batch is %r, a status that is not known here; taken as %s", name, status)
    return status


def read_time(value: Any) -> datetime | None:
    """From a time since the epoch, in seconds or a fraction of them, or from ISO 8601, in UTC
    where it names no zone. None for anything else.
    """
    try:
        number = read_number(value)
        if number is not None:
            return _from_epoch(number) if number else None
        return _from_iso(value) if isinstance(value, str) else None
    except (OverflowError, OSError, ValueError):
        return None


def read_errors(value: Any) -> list[Any]:
    """The errors of a batch: one, or those of a list, which may be the `data` of an object."""
    if isinstance(value, Mapping) and "data" in value:
        value = value["data"]
    return value if isinstance(value, list) else [value] if value else []


def is_error(value: Any) -> bool:
    """Whether an error says anything: some servers send one whose fields are all null."""
    return any(value.values()) if isinstance(value, Mapping) else bool(value)


def error_text(error: Any) -> str:
    """An error of a batch for people, with the line of the input that it is about."""
    if not isinstance(error, Mapping):
        return str(error)
    line = f"line {error['line']}: " if error.get("line") is not None else ""
    return f"{line}{error.get('message') or error.get('code') or dict(error)}"


def _from_epoch(number: float) -> datetime:
    while abs(number) > _MAX_SECONDS:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _from_iso(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
