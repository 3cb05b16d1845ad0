"""How an engine is sent its settings: one map, from each setting to what carries it.

Whoever encodes a request walks the map, so that a setting is sent exactly if it is in there, and
what an engine supports follows from the map's keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from oumi.core.configs.inference_config import InferenceConfig

Groups = InferenceConfig | SimpleNamespace
"""A config, or a namespace with those groups of it that a map reads: `model` or `generation`."""

Encode = Callable[..., Mapping[str, Any]]
"""From the value of a setting, and the encoder's context, to the fields that carry the setting."""


class SettingMap:
    """A map from settings, such as `generation.top_k`, to what carries them."""

    def __init__(self, encoders: Mapping[str, Encode]):
        self.settings = frozenset(encoders)
        # Paths are taken apart once, because some maps are walked for each request.
        self._steps = [(path, _getter(path), encode) for path, encode in encoders.items()]

    def encode(
        self, config: Groups, *context: Any, without: Collection[str] = ()
    ) -> dict[str, Any]:
        """The fields of all settings but those `without`. A setting that is None has no field.

        `context` is handed on to each function of the map.
        """
        fields: dict[str, Any] = {}
        for path, get, encode in self._steps:
            value = get(config)
            if value is not None and path not in without:
                fields |= encode(value, *context)
        return fields


def field(name: str, *, unless: Any = None) -> Encode:
    """Sends the value as it is, in a field of that name; not at all where it is `unless`."""

    def encode(value: Any, *_: Any) -> Mapping[str, Any]:
        return {} if value == unless else {name: value}

    return encode


def _getter(path: str) -> Callable[[Groups], Any]:
    """Reads a setting; None where its group is not set."""
    group, _, name = path.rpartition(".")
    if group != "generation.guided_decoding":
        return attrgetter(path)
    return lambda config: getattr(config.generation.guided_decoding, name, None)
