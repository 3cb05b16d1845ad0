"""The schema that a sampler on this machine is given for a schema of the user's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from oumi.core.json_text import write_json
from oumi.structured.room import Room
from oumi.structured.sampler.bounds import bound
from oumi.structured.sampler.closed import close, without_hints
from oumi.structured.sampler.compile_time import compile_time
from oumi.structured.sampler.fit import UnsatisfiableError, fit, fit_whole, refusal
from oumi.structured.sampler.loosen import Loosened, loosen


def for_sampler(schema: dict[str, Any]) -> Loosened:
    """What a sampler keeps of a schema in its normal form, and what is left to the check.

    Raises UnsatisfiableError where nothing meets the schema, and CompileTimeError.
    """
    with compile_time():
        return _for_sampler(write_json(schema))


def for_answer(schema: dict[str, Any], room: Room) -> dict[str, Any]:
    """The schema by which one answer is sampled: that of `for_sampler` with bounds for a room.

    Where the bounds leave nothing that the sampler takes, it has none.
    """
    return _for_answer(write_json(schema), room)


@lru_cache(maxsize=64)
def _for_answer(text: bytes, room: Room) -> dict[str, Any]:
    schema = _for_sampler(text).schema
    try:
        bounded = bound(schema, room)
    except RecursionError:
        return schema
    return schema if refusal(bounded) else bounded


@lru_cache(maxsize=64)
def _for_sampler(text: bytes) -> Loosened:
    schema: dict[str, Any] = orjson.loads(text)
    for multiplies in (True, False):
        loosened = loosen(schema, multiplies=multiplies)
        found = _closed(loosened) or fit_whole(_as_it_is(loosened))
        if found is not None:
            return found
    return fit(_as_it_is(loosened))


def _closed(loosened: Loosened) -> Loosened | None:
    """With closed objects; None where they leave nothing, or too much for the sampler."""
    try:
        return fit_whole(loosened._replace(schema=close(loosened.schema)), all_possible=True)
    except (UnsatisfiableError, RecursionError):  # references may be longer than Python's stack
        return None


def _as_it_is(loosened: Loosened) -> Loosened:
    return loosened._replace(schema=without_hints(loosened.schema))
