"""A Ray cluster on which the model runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oumi.core.configs.base import Settings


class ClusterParams(Settings):
    """The workers of a run on a Ray cluster, each of which holds the engine that the settings name.

    Where answers come from makes no difference to what they are: none of this is part of a row's
    key.
    """

    address: str | None = None
    """Address of the cluster, such as `ray://head:10001` or `auto`. None: `RAY_ADDRESS`, or else a
    cluster of this machine alone."""

    workers: int | Literal["auto"] = "auto"
    """Most workers at once. `auto`: as many as the cluster has room for, also when it grows."""

    gpus_per_worker: float = Field(default=0.0, ge=0.0)
    """GPUs that each worker needs, such as 1; vLLM sees these alone."""

    cpus_per_worker: float = Field(default=1.0, ge=0.0)
    """CPU cores that each worker needs."""

    env: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the workers. Ray shows them on its pages: keys do not belong here,
    those of the driver's environment are handed to the workers by themselves."""

    max_failures: int = Field(default=3, ge=1)
    """Workers that may fail one after the other, without an answer in between, before the run
    ends."""

    max_silence_s: float = Field(default=30.0, gt=0.0)
    """Seconds after which a worker that says nothing is left out, and after which a worker that
    hears nothing from the driver ends itself."""
