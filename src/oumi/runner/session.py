"""Everything that a run needs of a backend, under one set of settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.embedding import Embeddings
from oumi.data.shared_prefix import PrefixMemory
from oumi.data.source import Row, Source
from oumi.errors import OumiError, UnsupportedError
from oumi.runner.cost import Price
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.prompt_tokens import PromptTokens, estimate_prompt
from oumi.runner.request import KeyMaker, Request, written_out
from oumi.runner.seeds import sample_seed
from oumi.runner.worker_status import WorkerStatus
from oumi.structured.contract import Contract

if TYPE_CHECKING:
    from oumi.runner.batch_phase import BatchPhase
    from oumi.runner.embedding_request import EmbeddingRequest

_MOST_ROW_SESSIONS = 256
"""Enough for settings that come again and again; where each row has its own, as with seeds, no
number would do."""


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
    batch_price: Price | None = None
    """What they cost in a batch job; None where they cost nothing, or there is no batch API."""
    prefixes: PrefixMemory | None = field(default=None, repr=False)
    """Finds what conversations begin with that others do too; None where nothing follows from it.
    """
    derive: Callable[[InferenceConfig], Session] | None = field(default=None, repr=False)
    """Makes the session of other settings, after a check of these; for rows that bring their own.
    Raises what is wrong with them."""

    texts_per_request: int = 1
    """Most texts that are embedded by one request."""

    batch_phase: BatchPhase | None = field(default=None, repr=False)
    """Answers the rows of a run by a batch job first, where the settings ask for that."""

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

    def for_row(self, row: Row) -> Session:
        """The session of a row: this one, or that of the row's own settings over those of the run.

        The limits are the same. Raises RequestError for settings that the engine cannot honour.
        """
        return self if row.generation is None else self.with_settings(row.generation)

    def with_settings(self, generation: GenerationParams) -> Session:
        """The session of a row's own settings, kept for the rows that have the same."""
        return self._row_sessions.get(generation)

    def config_of(self, row: Row) -> InferenceConfig:
        """The settings under which a row is asked: its samples, and rows that are equal, have seeds
        of their own where there is a seed.
        """
        if self._seed is None:
            return self.config
        generation, repeat = self.config.generation, self.keys.repeat_of(row)
        if row.sample == repeat == 0:
            return self.config
        seed = sample_seed(self._seed, row.sample, repeat)
        seeded = generation.model_copy(update={"seed": seed})
        return self.config.model_copy(update={"generation": seeded})

    @cached_property
    def _seed(self) -> int | None:
        return self.config.generation.seed

    def contract_at(self, source: Source, row: int) -> Contract | None:
        """What the answer to a row of a source has to look like."""
        if not source.has_settings or (generation := source.generation_of(row)) is None:
            return self.contract
        return self.with_settings(generation).contract

    @cached_property
    def _row_sessions(self) -> RowSessions:
        return RowSessions(self)

    @property
    def url(self) -> str | None:
        """The base URL of the API; None for a model on this machine."""
        return self.identity.get("url")

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token is always chosen, so that samples are all the same."""
        return self.config.generation.temperature == 0

    def rows(self, source: Source, rows: Iterator[Row] | None = None) -> Iterator[Row]:
        """The rows as they are to be asked; `rows` are those of the source, where a pass over them
        has begun.
        """
        rows = rows or source.rows()
        return rows if self.prefixes is None else self.prefixes.rows(source, rows)

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

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """The vectors of texts. Many requests may run at once, on one event loop.

        Raises UnsupportedError where the engine makes none.
        """
        raise UnsupportedError(f"{self.name} makes no embeddings")

    def for_embeddings(self) -> Session:
        """The same for rows whose texts are embedded: nothing of how answers are generated shapes a
        vector, and so is part of its key.
        """
        shape = self.config.embedding.model_dump(mode="json", include={"dimensions"})
        return replace(
            self,
            config=self.config.model_copy(update={"generation": GenerationParams()}),
            identity={**self.identity, "embedding": shape},
            media=None,
            contract=None,
            prefixes=None,
            batch_phase=None,
        )

    async def count_prompt(self, request: Request) -> PromptTokens:
        """The tokens of a prompt, before it is sent. Raises RequestError for one that cannot be
        made.
        """
        return estimate_prompt(request)

    async def render(self, request: Request) -> str:
        """The prompt as a text to look at. Raises RequestError for one that cannot be made."""
        return written_out(request.conversation)

    def report_workers(self) -> tuple[WorkerStatus, ...]:
        """How the workers of a cluster stand; none where there is no cluster."""
        return ()

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """Upper bounds on the tokens of the prompt and of the answer, for limits in tokens."""
        return 0, 0


class RowSessions:
    """The sessions of rows with settings of their own, those that were used last."""

    def __init__(self, session: Session):
        self._session = session
        self._sessions: dict[str, Session] = {}

    def get(self, generation: GenerationParams) -> Session:
        """Made where there is none yet. Raises what is wrong with the settings.

        Threads may ask at the same time: a server has sessions with schemas made in them.
        """
        name = generation.model_dump_json(exclude_unset=True)
        session = self._sessions.get(name)
        if session is None:
            session = self._make(generation)
            if len(self._sessions) >= _MOST_ROW_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)), None)
            self._sessions[name] = session
        return session

    def _make(self, generation: GenerationParams) -> Session:
        session = self._session
        config = session.config.merge(InferenceConfig(generation=generation))
        if session.derive is None:
            raise UnsupportedError(f"{session.name} takes no settings of single rows")
        try:
            return replace(session.derive(config), limiter=session.limiter, price=session.price)
        except OumiError as error:  # of one row alone, whatever its kind ends otherwise
            raise UnsupportedError(f"the row's own settings: {error}") from error
