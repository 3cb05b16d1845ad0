"""The Ray cluster: where it is, how much room it has, and how workers begin and end there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from oumi.backends.engine_row import EngineRow
from oumi.core.configs import InferenceConfig
from oumi.core.configs.cluster_params import ClusterParams
from oumi.errors import MissingDependencyError

_MOST_CALLS = 1000
"""Calls that an actor takes at once. It has two at a time, so any number will do."""

_NODE_ID = "ray.io/node-id"
"""A label that Ray gives each node:
https://docs.ray.io/en/latest/ray-core/scheduling/labels.html"""


class Cluster:
    """The workers' place. Made where there is a connection to Ray, or makes one."""

    def __init__(self, row: EngineRow, config: InferenceConfig, params: ClusterParams):
        self._ray = _import_ray()
        self._row = row
        self._config = config.model_copy(update={"cluster": None, "engine": row.name})
        self._params = params
        self._avoided: set[str] = set()
        if not self._ray.is_initialized():
            address = params.address or os.environ.get("RAY_ADDRESS")
            self._ray.init(address=address, log_to_driver=False, logging_level="warning")
        from oumi.distributed.worker import Worker

        self._worker = self._ray.remote(Worker)

    def start(self, number: int) -> Any:
        """Have a worker started once there is room for it. Returns its actor, which has a name that
        says on Ray's pages what it is.
        """
        params, provider = self._params, self._row.provider
        names = provider.key_env if provider else ()
        keys = {name: os.environ[name] for name in names if name in os.environ}
        actor = self._worker.options(
            name=f"oumi {self._row.name} {self._config.model.model_name} {os.getpid()}-{number}",
            num_cpus=params.cpus_per_worker,
            num_gpus=params.gpus_per_worker,
            max_concurrency=_MOST_CALLS,
            runtime_env={"env_vars": params.env} if params.env else None,
            label_selector={_NODE_ID: f"!in({','.join(self._avoided)})"} if self._avoided else None,
        )
        return actor.remote(self._config, keys, params.max_silence_s)

    def end(self, actor: Any) -> None:
        """End a worker, whatever it does."""
        self._ray.kill(actor)

    def avoid(self, node_id: str) -> None:
        """Start no further worker on a node."""
        self._avoided.add(node_id)

    def wanted(self) -> int:
        """How many workers there are to be: what is set, or what the cluster has room for."""
        if self._params.workers != "auto":
            return self._params.workers
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        room = sum(
            self._room(node["Resources"]) for node in nodes if node["NodeID"] not in self._avoided
        )
        return max(room, 1)

    def _room(self, resources: Mapping[str, float]) -> int:
        """How many workers fit on a node. One that needs nothing is wanted once a node."""
        needs = {"CPU": self._params.cpus_per_worker, "GPU": self._params.gpus_per_worker}
        return min((int(resources.get(name, 0) / n) for name, n in needs.items() if n), default=1)


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "a cluster needs Ray, which is not installed: pip install 'oumi-infer[ray]'"
        ) from error
    return ray
