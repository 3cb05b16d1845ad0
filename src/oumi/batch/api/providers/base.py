"""The interface of a provider's batch API, and the values that cross it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from oumi.core.types.batch import BatchInfo
from oumi.core.types.failure import Failure
from oumi.errors import InputError, OumiError, UnavailableError


class QueueFullError(OumiError):
    """The provider holds as many waiting tokens or batches of this account as it allows."""


class UnknownBatchError(InputError):
    """The provider has no batch with this id."""


class OutputNotReadyError(UnavailableError):
    """The batch has ended, and its output cannot be downloaded yet."""


class OutputCutError(UnavailableError):
    """The output ends within a line: it came in part, or there is no more of it."""


@dataclass(frozen=True, slots=True)
class ApiBatch:
    """One batch as its provider reports it."""

    info: BatchInfo
    upload: str = ""
    """The provider's id of the uploaded requests, of which a batch can be made again."""
    queue_full: bool = False
    """Whether it failed, without any answer, because the provider's queue was full."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The whole reply of the provider."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one request: the body of its reply, or why there is none."""

    custom_id: str
    """Empty where the line names none."""
    line: bytes
    """All of it as it came."""
    body: bytes | None = None
    failure: Failure | None = None
    is_torn: bool = False
    """Whether the line is not JSON, as one that came only in part."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request of a batch that another program made."""

    custom_id: str
    body: dict[str, Any]


class BatchApi(Protocol):
    """What the `open_api` of each module in this folder returns.

    Each call is one step, and nothing is remembered between them. Those that send a request raise
    the errors of oumi.errors; those with a batch id raise UnknownBatchError.
    """

    async def is_offered(self) -> bool:
        """Whether the server has a batch API at all."""
        ...

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request to `path` as a line of the file that is uploaded."""
        ...

    async def upload(self, file: Path, tag: str) -> str:
        """Upload the lines and return the provider's id of them. Costs nothing yet."""
        ...

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a batch. Raises QueueFullError if none was started for that reason.

        After any UnavailableError the batch may run all the same: `find` finds it.
        """
        ...

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """The batch that was started of this upload with this tag, is not older than `since`, and
        whose id is not among the known ones. Raises UnavailableError if that is not known yet.
        """
        ...

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a batch is."""
        ...

    def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The results that the provider has so far, in any order.

        Nothing in one of them stops the others. Raises OutputNotReadyError and OutputCutError,
        maybe after some results.
        """
        ...

    def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """The requests of a batch, in their order."""
        ...

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a batch; one that has ended stays as it is."""
        ...

    def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, the newest first."""
        ...
