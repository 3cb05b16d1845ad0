"""The command that asks the same again, from the settings of a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from oumi.core.json_text import write_json


def command_of(settings: Mapping[str, Any], engine: str | None = None) -> str | None:
    """`oumi infer` with the engine and each setting as an option; None where no files are named in
    them. Keys are in no settings that were written down: they come from the environment.
    """
    if not settings.get("input_path") or not settings.get("output_path"):
        return None
    given = settings if engine is None else {"engine": engine, **settings}
    options = [f"--{name} {shlex.quote(value)}" for name, value in _flatten(given)]
    return " \\\n  ".join(["oumi infer", *options])


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict) and prefix.count(".") < 1 and name != "guided_decoding":
            yield from _flatten(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return write_json(value).decode()
