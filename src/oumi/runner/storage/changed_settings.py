"""What is set otherwise than when an output was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oumi.core.configs.flat import flat_settings
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.json_text import parse_json, write_json

_NOT_OF_ANSWERS = (
    *("remote_params.", "output_path", "overwrite", "cache", "progress_path", "bad_rows"),
    *("generation.batch_size", "engine"),
)
"""Beginnings of settings that change no answer. The engine is compared by the name that it has in
`run.json`, also where nobody named it."""
_LONGEST_VALUE = 120


def changed_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs, such as `generation.temperature was 0.0, is 1.0`. Both hold `engine` and
    `settings`, as `run.json` has them; nothing differs where one of them has none.
    """
    if not before.get("settings") or not now.get("settings"):
        return
    if before["engine"] != now["engine"]:
        yield f"engine was {before['engine']}, is {now['engine']}"
    earlier, present = _by_path(before["settings"]), _by_path(now["settings"])
    for path in dict.fromkeys((*earlier, *present)):
        values = earlier.get(path), present.get(path)
        if values[0] != values[1] and not path.startswith(_NOT_OF_ANSWERS):
            yield f"{path} was {_shown(values[0])}, is {_shown(values[1])}"


def _by_path(settings: Mapping[str, Any]) -> dict[str, Any]:
    """With the defaults of what is not set, as JSON values."""
    given = dict(flat_settings(settings))
    return {**dict(flat_settings(InferenceConfig().to_dict())), **parse_json(write_json(given))}


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    text = write_json(value).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
