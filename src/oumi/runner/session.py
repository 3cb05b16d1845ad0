"""Everything that a run needs of a backend, under one set of settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.data.shared_prefix import PrefixMemory
from oumi.data.source import Row, Source
from oumi.runner.cost import Price
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.request import KeyMaker, Request
from oumi.structured.contract import Contract


class Media(Protocol):
    """Loads what rows name outside of themselves, such as files of images."""

    def is_needed(self, request: Request) -> bool:
        """Whether a request names anything of the kind."""
        ...

    async def load(self, request: Request) -> Request:
        """The request with what it names. Raises RequestError and UnavailableError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Session(ABC):
    """Made once a run by `Backend.session(config)`, handed down, and never changed.

    What is shared with other sessions of the same backend, such as connections and limits, is
    held here by reference.
    """

    name: str
    """The engine's name."""
    config: InferenceConfig
    """The effective settings."""
    identity: Mapping[str, Any]
    """What besides the generation settings shapes an answer; part of each row's key."""
    max_in_flight: int
    """Most rows worth having begun at once."""
    limiter: Limiter = field(repr=False)
    """The owner of rates and concurrency."""
    retry_policy: RetryPolicy
    media: Media | None = field(default=None, repr=False)
    """Loads what requests name before they are given to `complete` or `stream`."""
    contract: Contract | None = field(default=None, repr=False)
    """What answers have to look like; None where nothing is asked of them."""
    price: Price | None = None
    """What tokens cost; None where they cost nothing."""
    prefixes: PrefixMemory | None = field(default=None, repr=False)
    """Finds what conversations begin with that others do too; None where nothing follows from it.
    """

    @cached_property
    def keys(self) -> KeyMaker:
        """Makes the keys of rows. The address is no part of them: a server that comes back at
        another one is not asked again for what it has answered.
        """
        return KeyMaker(self.config, {k: v for k, v in self.identity.items() if k != "url"})

    @cached_property
    def job_keys(self) -> KeyMaker:
        """The same with the address: keys of batch jobs, each of which lies at one address, and
        of the runs of version 0.1.
        """
        return KeyMaker(self.config, self.identity)

    @property
    def url(self) -> str | None:
        """The base URL of the API; None for a model on this machine."""
        return self.identity.get("url")

    def rows(self, source: Source) -> Iterator[Row]:
        """The rows as they are to be asked."""
        return source.rows() if self.prefixes is None else self.prefixes.rows(source)

    def batch_rows(self, source: Source) -> Iterator[Row]:
        """The same for a batch, which is asked later: what was sent before does not matter."""
        return source.rows() if self.prefixes is None else PrefixMemory().rows(source)

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer one request. Many may run at once, on one event loop."""

    @abstractmethod
    def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece; the last piece carries the completion. Closing the
        generator stops the model.
        """

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """Upper bounds on the tokens of the prompt and of the answer, for limits in tokens."""
        return 0, 0
