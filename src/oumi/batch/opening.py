"""Who works on the batch jobs of a backend: its API, or this machine."""

from __future__ import annotations

from oumi.backends.base import Backend
from oumi.backends.remote.backend import RemoteBackend
from oumi.batch.api.jobs import is_for_api
from oumi.batch.api.service import ApiBatches
from oumi.batch.local.service import LocalJobs
from oumi.batch.service import Batches
from oumi.core.configs.inference_config import InferenceConfig


async def open_service(
    backend: Backend,
    config: InferenceConfig,
    batch_id: str | None = None,
    unknown_class: str | None = None,
) -> Batches:
    """The service for new jobs under these settings, or for the job that is named.

    `unknown_class` names an engine's class that the process of a local job could not make.
    """
    if isinstance(backend, RemoteBackend) and await is_for_api(backend, config, batch_id):
        return ApiBatches(backend)
    return LocalJobs(backend, unknown_class)
