"""An engine on a cluster, from Python."""

from __future__ import annotations

from typing import Any

from oumi.core.configs import InferenceConfig
from oumi.core.configs.cluster_params import ClusterParams
from oumi.inference import InferenceEngine, build_engine


def RayCluster(config: InferenceConfig, **cluster: Any) -> InferenceEngine:  # noqa: N802
    """The engine that the settings name, on the workers of a Ray cluster.

    `with RayCluster(config, workers=8) as engine: engine.infer(…)`. Further arguments are fields of
    `ClusterParams`, over those in `config.cluster`.
    """
    params = (config.cluster or ClusterParams()).merge(ClusterParams(**cluster))
    return build_engine(config.model_copy(update={"cluster": params}))
