"""From settings to an engine."""

from __future__ import annotations

import importlib

from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import engine_for, require_runtime
from oumi.core.configs import InferenceConfig
from oumi.inference.engine import InferenceEngine

_LOCAL, _REMOTE = "oumi.inference.local_engines", "oumi.inference.engines"


def build_engine(config: InferenceConfig) -> InferenceEngine:
    """The engine that the settings name, loaded with their model."""
    return load_class(engine_for(config))(
        config.model,
        generation_params=config.generation,
        remote_params=config.remote_params,
    )


def load_class(row: EngineRow) -> type[InferenceEngine]:
    """The public class of an engine. Raises MissingDependencyError where its runtime is missing."""
    require_runtime(row)
    module = importlib.import_module(_LOCAL if row.provider is None else _REMOTE)
    found: type[InferenceEngine] = getattr(module, row.class_name)
    return found
