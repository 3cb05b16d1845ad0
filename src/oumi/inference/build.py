"""From settings to an engine, and from a name to its class."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from oumi.backends.engine_choice import with_engine
from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import find_engine
from oumi.core.configs.inference_config import InferenceConfig
from oumi.inference.engine import InferenceEngine
from oumi.inference.remote_engine import RemoteInferenceEngine

_MODULES = ("oumi.inference.engines", "oumi.inference.local_engines")


def build_engine(config: InferenceConfig) -> InferenceEngine:
    """The engine that the settings name, or the name of their model, with this model loaded.

    Raises ConfigError for a name that no engine has or that says none, and what the engine itself
    raises.
    """
    config = with_engine(config)
    return load_class(find_engine(str(config.engine))).from_config(config)


def load_class(row: EngineRow) -> type[InferenceEngine]:
    """The class of an engine. Its runtime is needed when an engine is made, not before."""
    for module in map(import_module, _MODULES):
        found: type[InferenceEngine] | None = getattr(module, row.class_name, None)
        if found is not None and found.engine_type == row.name:
            return found
    return _new_class(row.name)


@cache
def _new_class(name: str) -> type[InferenceEngine]:
    """A class for an engine of another package; the same one each time."""
    row = find_engine(name)
    base = InferenceEngine if row.provider is None else RemoteInferenceEngine
    fields = {"engine_type": row.name, "__doc__": f"{row.summary}."}
    # It has no place that a pickle could name.
    maker = classmethod(lambda cls: (_new_named, (row.name,)))
    return type(row.class_name, (base,), {**fields, "_maker": maker})


def _new_named(name: str) -> InferenceEngine:
    """An engine without settings, to be unpickled."""
    kind = load_class(find_engine(name))
    return kind.__new__(kind)
