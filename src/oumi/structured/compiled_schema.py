"""A schema compiled to judge answers, with limits on the work that one answer may cause.

The verdict comes first. An error is looked for only in an answer that is invalid, and only when
somebody asks for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

from oumi.core.json_schema.complexity import count_visits
from oumi.core.json_text import parse_json
from oumi.structured.schema_errors import describe_errors
from oumi.structured.schema_parts import SchemaParts

# Visits of a schema by a value, times characters: hostile pairs within it take up to half a second.
_MAX_WORK = 25_000_000
_MAX_PROCESSOR_S = 0.3
_MAX_WAIT_S = 10  # on a machine that is busy with other work

_TOO_COSTLY = (
    "it could not be checked against the schema in the time that one answer gets, because the "
    "schema's alternatives multiply; simplify the schema, or ask for shorter answers"
)
# Runs in a process of its own, because nothing else can end a check that takes too long.
_CHECK = f"""
import json, signal, sys
from jsonschema_rs import validator_for
schema, value = json.load(sys.stdin)
signal.setitimer(signal.ITIMER_PROF, {_MAX_PROCESSOR_S})  # its signal ends the process
print(validator_for(schema, validate_formats=True).is_valid(value))
"""


class CompiledSchema:
    """Judges values. Compiling takes far longer than a judgement."""

    def __init__(self, text: bytes):
        import jsonschema_rs

        self._schema = parse_json(text)
        self.is_valid = jsonschema_rs.validator_for(self._schema, validate_formats=True).is_valid
        """Whether a value is valid: for answers of at most `max_length`."""
        self.max_length = _MAX_WORK // count_visits(self._schema)
        """The characters of an answer that is surely judged in reasonable time."""

    def find_problem(self, value: Any, length: int) -> Callable[[], str] | None:
        """What is wrong with a value, whose text has this length; None if it is valid."""
        if length <= self.max_length:
            return None if self.is_valid(value) else _Problem(self, value)
        is_valid = _check_apart(self._schema, value)
        return None if is_valid else _Problem(self, value, is_too_costly=is_valid is None)

    @cached_property
    def parts(self) -> SchemaParts:
        """The schema's parts, for finding errors: many runs have no invalid answer."""
        return SchemaParts(self._schema)


class _Problem:
    """An invalid value, described when that is asked for."""

    def __init__(self, schema: CompiledSchema, value: Any, *, is_too_costly: bool = False):
        self._schema = schema
        self._value = value
        self._is_too_costly = is_too_costly

    def __call__(self) -> str:
        """The first errors, or that none could be found."""
        if self._is_too_costly:
            return _TOO_COSTLY
        return describe_errors(self._schema.parts, self._value)


def _check_apart(schema: dict[str, Any], value: Any) -> bool | None:
    """The verdict of another process; None if it did not come in time."""
    command = [sys.executable, "-c", _CHECK]
    given = json.dumps([schema, value])
    try:
        done = subprocess.run(  # noqa: S603  it is this Python
            command, input=given, capture_output=True, text=True, timeout=_MAX_WAIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() == "True"
