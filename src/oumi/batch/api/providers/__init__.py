"""The batch APIs of providers: one module a family, named by the provider's row."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.session import RemoteSession
from oumi.core.types.batch import BatchInfo
from oumi.core.types.result import Failure
from oumi.errors import OumiError, UnavailableError, UnsupportedError


class NoRoomError(OumiError):
    """The provider holds as many waiting tokens for us as it is willing to."""


class OutputLagsError(UnavailableError):
    """The batch has ended, and its output is not there yet."""


@dataclass(frozen=True, slots=True)
class ApiBatch:
    """One batch as its provider tells of it."""

    info: BatchInfo
    upload: str = ""
    """The provider's id of what was handed in, from which a batch can be made again."""
    refused: bool = False
    """Whether it came to nothing because there was no room for it."""
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that was told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: the body of its answer, or why there is none."""

    custom_id: str
    body: bytes | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A request as it stands in the input of a batch that another program made."""

    custom_id: str
    body: dict[str, Any]


class BatchApi(Protocol):
    """What a module of this folder makes with `open_api`. Each call is one step, and nothing is
    remembered between them.
    """

    async def is_offered(self) -> bool:
        """Whether the server has a batch API at all."""
        ...

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request to `path` as a line of the file that is handed in."""
        ...

    async def upload(self, file: Path, tag: str) -> str:
        """Hand the lines in and return what the provider calls them. Costs nothing yet."""
        ...

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a batch. Raises NoRoomError. After any UnavailableError it may run all the same;
        `find` tells.
        """
        ...

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """The batch that was started of this upload with this tag after a moment, and is none of
        those known. Raises UnavailableError where that cannot be told yet.
        """
        ...

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a batch is."""
        ...

    def outcomes(self, batch: ApiBatch) -> AsyncGenerator[Outcome]:
        """What became of each request, as far as is known, in any order.

        Raises OutputLagsError, maybe after some outcomes.
        """
        ...

    def asked(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """The requests of a batch, in their order."""
        ...

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a batch."""
        ...

    def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, the newest first."""
        ...


def open_api(session: RemoteSession) -> BatchApi:
    """The batch API of a session's provider. Raises UnsupportedError where it has none."""
    limits = session.provider.batch
    if limits is None:
        raise UnsupportedError(f"{session.name} has no batch API")
    module = importlib.import_module(f"{__name__}.{limits.family}")
    api: BatchApi = module.open_api(ApiClient(session), session.name)
    return api
