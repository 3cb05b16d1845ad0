"""The interface between an engine's batch methods and what works on its batch jobs."""

from __future__ import annotations

from typing import Protocol

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.batch import BatchInfo
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source


class Batches(Protocol):
    """Batch jobs of one engine. `config` holds the effective settings of the call.

    Each method raises InputError for an id that is not known.
    """

    async def submit(
        self, source: Source, config: InferenceConfig, *, resubmit: bool = False
    ) -> str:
        """Submit a job, once however often the same call is made, and return its id.

        With `resubmit` it is submitted as a whole once more, as a job of its own.
        """
        ...

    async def status(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """How far a job is. Also goes on with what has become possible since the last call."""
        ...

    async def results(
        self, batch_id: str, source: Source | None, config: InferenceConfig
    ) -> InferenceResult:
        """All rows of a job, answered, failed or not yet done, in input order.

        Raises InputError where `source` holds other conversations than were submitted.
        """
        ...

    async def cancel(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """Stop a job; what is answered by then can still be collected."""
        ...

    async def list(self, config: InferenceConfig, limit: int | None) -> list[BatchInfo]:
        """The newest jobs first."""
        ...

    async def resubmit(self, batch_id: str, config: InferenceConfig) -> str:
        """Submit what an ended job has no answers to, and return the id of the job."""
        ...
