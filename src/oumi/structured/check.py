"""Whether an answer has the form that was asked for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson

from oumi.core.configs import GuidedDecodingParams


def find_misfit(text: str, guided: GuidedDecodingParams) -> str | None:
    """What is wrong with an answer; None where it fits. A grammar is taken as kept."""
    match guided.form:
        case "json":
            return _schema_misfit(text, orjson.dumps(guided.json))
        case "choice":
            return None if text in (guided.choice or ()) else f"{text!r} is none of the choices"
        case "regex":
            fits = re.fullmatch(guided.regex or "", text, re.DOTALL)
            return None if fits else f"{text!r} does not match {guided.regex!r}"
        case _:
            return None


def _schema_misfit(text: str, schema: bytes) -> str | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    found = next(_validator(schema).iter_errors(value), None)
    if found is None:
        return None
    place = "".join(f"[{part!r}]" for part in found.instance_path) or "the value"
    return f"{place}: {found.message}"


@lru_cache(maxsize=64)
def _validator(schema: bytes) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(orjson.loads(schema))
