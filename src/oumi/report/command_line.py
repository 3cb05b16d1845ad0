"""The command that asks the same again, from the settings of a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from oumi.core.configs.flat import flat_settings
from oumi.core.json_text import write_json


def command_of(settings: Mapping[str, Any], engine: str | None = None) -> str | None:
    """`oumi infer` with the engine and each setting as an option; None where no files are named in
    them. Keys are in no settings that were written down: they come from the environment.
    """
    if not settings.get("input_path") or not settings.get("output_path"):
        return None
    given = settings if engine is None else {"engine": engine, **settings}
    options = [f"--{name} {shlex.quote(_text(value))}" for name, value in flat_settings(given)]
    return " \\\n  ".join(["oumi infer", *options])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else write_json(value).decode()
