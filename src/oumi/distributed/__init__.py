"""The same runs on a Ray cluster: rows go to workers that each hold an engine.

The driver keeps the input, the keys, the limits, the journal, the order and the output. A worker
is given rows and gives back outcomes, and knows of nothing else.
"""

from __future__ import annotations

from typing import Any

__all__ = ["RayCluster", "RayDataStage"]

_PLACES = {
    "RayCluster": "oumi.distributed.engine",
    "RayDataStage": "oumi.distributed.ray_data",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)
