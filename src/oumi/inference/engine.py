"""What all engines share: the public verbs. An engine itself only answers one request.

The way of a call: `infer` → `Job.go` (files, journal) → `Run.go` (rows in flight) →
`complete` of the engine.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from oumi.backends.registry import ROWS, check_settings
from oumi.batch.service import Batches
from oumi.core.configs import (
    GenerationParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.types.completion import Completion, Delta, InferenceResult
from oumi.core.types.conversation import Conversation
from oumi.errors import UnavailableError
from oumi.inference.batch_methods import BatchMethods
from oumi.runner import loop
from oumi.runner.cost import Price
from oumi.runner.events import Listener
from oumi.runner.job import Job
from oumi.runner.limits.limiter import Limiter, Limits
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.request import Request
from oumi.runner.run import tokens_used
from oumi.structured.contract import Contract, make_contract
from oumi.structured.finish import require_valid


class InferenceEngine(BatchMethods, ABC):
    """A loaded model or a reachable API. Usable as a context manager; safe to use from threads.

    Settings given to a call win over those given here, field by field, where they are set.
    """

    engine_type: ClassVar[InferenceEngineType]

    def __init__(
        self,
        model_params: ModelParams | None = None,
        *,
        generation_params: GenerationParams | None = None,
        remote_params: RemoteParams | None = None,
    ):
        self._config = InferenceConfig(
            model=model_params or ModelParams(),
            generation=generation_params or GenerationParams(),
            remote_params=remote_params,
        ).model_copy(deep=True)
        self._check(self._config)

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.engine_type.value

    def infer(
        self,
        input: Sequence[Conversation] | None = None,  # noqa: A002  the name users know
        inference_config: InferenceConfig | None = None,
        *,
        on_event: Listener | None = None,
    ) -> Sequence[Conversation]:
        """Answer all conversations, of a list or of `input_path`, in their order.

        With `output_path` the answers are saved, and a rerun asks only for what is missing.
        Raises InferenceError once all others are done and saved, if any row failed.
        """
        return self.infer_partial(input, inference_config, on_event=on_event).all()

    def infer_partial(
        self,
        input: Sequence[Conversation] | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        on_event: Listener | None = None,
    ) -> InferenceResult:
        """The same, but rows that failed are part of the result."""
        job = self._job(input, inference_config, on_event)
        return loop.call(job.go(), on_interrupt=job.stop)

    async def ainfer(
        self,
        input: Sequence[Conversation] | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        on_event: Listener | None = None,
    ) -> Sequence[Conversation]:
        """`infer` for a caller with an event loop of its own."""
        result = await self.ainfer_partial(input, inference_config, on_event=on_event)
        return result.all()

    async def ainfer_partial(
        self,
        input: Sequence[Conversation] | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        on_event: Listener | None = None,
    ) -> InferenceResult:
        """`infer_partial` for a caller with an event loop of its own."""
        job = self._job(input, inference_config, on_event)
        return await asyncio.wrap_future(loop.submit(job.go()))

    def stream(
        self, conversation: Conversation, inference_config: InferenceConfig | None = None
    ) -> Generator[Delta]:
        """The answer piece by piece; the last piece carries the whole. Closing it stops it.

        The whole is checked as an answer of `infer` is, but nothing is asked again: what does
        not have the form that is asked for raises StructuredOutputError after its last piece.
        """
        request = Request(conversation, self._effective(inference_config))
        return loop.iterate(self._stream(request))

    def astream(
        self, conversation: Conversation, inference_config: InferenceConfig | None = None
    ) -> AsyncGenerator[Delta]:
        """`stream` for a caller with an event loop of its own."""
        request = Request(conversation, self._effective(inference_config))
        return loop.aiterate(self._stream(request))

    @abstractmethod
    def close(self) -> None:
        """Free what the engine holds. Closing twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer one request."""

    @abstractmethod
    def stream_completion(self, request: Request) -> AsyncIterator[Delta]:
        """Answer one request piece by piece."""

    @abstractmethod
    def in_flight(self, config: InferenceConfig) -> int:
        """Most requests worth having begun at once."""

    def limiter(self, config: InferenceConfig) -> Limiter:
        """The owner of rates and concurrency; a local engine bounds what is in flight only."""
        return Limiter(Limits(in_flight=self.in_flight(config), adaptive=False))

    def retry_policy(self, config: InferenceConfig) -> RetryPolicy:
        """How often a failed try is made again; a local engine fails for good."""
        return RetryPolicy(max_retries=0)

    def price(self, config: InferenceConfig) -> Price | None:
        """What tokens cost; None where they cost nothing."""
        return None

    def contract(self, config: InferenceConfig) -> Contract | None:
        """What answers have to look like; None where nothing is asked of them."""
        return make_contract(config.generation)

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """Most tokens of the prompt and of the answer, as far as can be told beforehand."""
        return 0, 0

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """What besides the settings shapes an answer."""
        return {"engine": self.name, "model": config.model.model_dump(mode="json")}

    async def _batches(self, config: InferenceConfig, batch_id: str | None = None) -> Batches:
        """Who works on batch jobs under these settings, or on the one that is named."""
        from oumi.batch.local.service import LocalJobs

        return LocalJobs(self)

    async def _stream(self, request: Request) -> AsyncIterator[Delta]:
        """The pieces, within the engine's limits."""
        limiter, estimate = self.limiter(request.config), self.estimate_tokens(request)
        contract = self.contract(request.config)
        with await limiter.acquire(*estimate) as permit:
            started_s = time.monotonic()
            try:
                async for piece in self.stream_completion(request):
                    if piece.completion is not None:
                        took_s = time.monotonic() - started_s
                        permit.done(*tokens_used(piece.completion, estimate), took_s)
                        whole = require_valid(contract, piece.completion)
                        piece = replace(piece, completion=whole)
                    yield piece
            except UnavailableError as error:
                if error.overload:
                    permit.overloaded(error.wait_s)
                raise

    def _check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with the settings before anything is sent."""
        check_settings(ROWS[self.engine_type], config)

    def _effective(self, inference_config: InferenceConfig | None) -> InferenceConfig:
        config = self._config.merge(inference_config)
        self._check(config)
        return config

    def _job(
        self,
        conversations: Sequence[Conversation] | None,
        inference_config: InferenceConfig | None,
        listener: Listener | None,
    ) -> Job:
        return Job(self, self._effective(inference_config), conversations, listener)
