"""Settings by their paths, as the command line names them: `generation.temperature`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flat_settings(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The path and the value of each setting that has one, of what `InferenceConfig.to_dict`
    gives. A schema, or whatever else an answer has to be, stays one value.
    """
    for name, value in settings.items():
        if isinstance(value, dict) and prefix.count(".") < 1 and name != "guided_decoding":
            yield from flat_settings(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value
