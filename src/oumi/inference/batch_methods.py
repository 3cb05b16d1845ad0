"""The batch methods of an engine: blocking ones, and async ones with the prefix `a`."""

from __future__ import annotations

import asyncio
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo
from oumi.core.types.conversation import Conversation
from oumi.core.types.result import InferenceResult
from oumi.data.conversation_like import Conversations
from oumi.data.opening import open_source
from oumi.data.output_name import check_output_name
from oumi.data.source import Source
from oumi.errors import ConfigError, UnavailableError
from oumi.runner import loop
from oumi.runner.limits.budget import check_no_budget

if TYPE_CHECKING:
    from oumi.batch.service import Batches

ResultT = TypeVar("ResultT")
OnStatus = Callable[[BatchInfo], object]

_POLL_S = 30.0  # batches take minutes to hours
_FIRST_POLL_S = 0.5  # small local jobs take seconds; each wait is twice as long as the one before


class BatchMethods:
    """Submit now, collect later. A job outlives this process; its id is all that is needed.

    The settings of a call may be left out: a job that was submitted on this machine has its own on
    disk. Each method raises InputError for an id that is not known, and the errors of oumi.errors
    for a provider that cannot be reached.
    """

    @abstractmethod
    def _effective(self, inference_config: InferenceConfig | None) -> InferenceConfig:
        """The settings of a call over those of the engine, checked."""

    @abstractmethod
    async def _batches(self, config: InferenceConfig, batch_id: str | None = None) -> Batches:
        """What works on batch jobs under these settings, or on the job with this id."""

    def infer_batch(
        self,
        conversations: Conversations | None = None,
        inference_config: InferenceConfig | None = None,
        *,
        resubmit: bool = False,
    ) -> str:
        """Submit conversations, of a list or of `input_path`, as one job. Returns its id.

        The same call again returns the same job rather than paying twice. Of a job that failed,
        expired or was cancelled, or that its provider no longer knows, the rows without an answer
        are submitted anew. With `resubmit` all rows are submitted once more, and paid for once
        more, as a job of its own; the job before stays as it is.
        """
        config = self._settings_of_job(inference_config, is_list=conversations is not None)
        source = open_source(conversations, config)
        return loop.call(self._submit(source, config, resubmit=resubmit))

    def get_batch_status(
        self, batch_id: str, inference_config: InferenceConfig | None = None
    ) -> BatchInfo:
        """How far a job is."""
        return loop.call(self._status(batch_id, inference_config))

    def get_batch_results(
        self,
        batch_id: str,
        conversations: Conversations | None = None,
        inference_config: InferenceConfig | None = None,
    ) -> Sequence[Conversation]:
        """All conversations with their answers, in the order in which they were submitted.

        Raises UnavailableError for a job that has not ended, InferenceError with all partial
        results if any row failed, and InputError for other conversations than were submitted.
        """
        return loop.call(self._results(batch_id, conversations, inference_config))

    def get_batch_results_partial(
        self,
        batch_id: str,
        conversations: Conversations | None = None,
        inference_config: InferenceConfig | None = None,
    ) -> InferenceResult:
        """The answers that are there by now; the other rows are failures that say why."""
        return loop.call(self._partial(batch_id, conversations, inference_config))

    def cancel_batch(
        self, batch_id: str, inference_config: InferenceConfig | None = None
    ) -> BatchInfo:
        """Stop a job; what is answered by then can still be collected."""
        return loop.call(self._cancel(batch_id, inference_config))

    def list_batches(
        self, limit: int | None = None, inference_config: InferenceConfig | None = None
    ) -> list[BatchInfo]:
        """The engine's jobs, the newest first."""
        return loop.call(self._list(limit, inference_config))

    def wait_for_batch(
        self,
        batch_id: str,
        inference_config: InferenceConfig | None = None,
        *,
        poll_interval_s: float = _POLL_S,
        timeout_s: float | None = None,
        on_status: OnStatus | None = None,
    ) -> BatchInfo:
        """Wait until a job has ended, however it ended.

        Its status is asked for often at first, and then every `poll_interval_s`; `on_status` is
        called with each. Raises UnavailableError after `timeout_s`; the job goes on.
        """
        waiting = self._wait(batch_id, inference_config, poll_interval_s, timeout_s, on_status)
        return loop.call(waiting)

    def resubmit_batch(self, batch_id: str, inference_config: InferenceConfig | None = None) -> str:
        """Submit the rows to which an ended job has no answer. Returns the id of the job.

        Raises RequestError for a job that has not ended, and UnavailableError for one whose output
        is not ready.
        """
        return loop.call(self._resubmit(batch_id, inference_config))

    async def ainfer_batch(
        self,
        conversations: Conversations | None = None,
        inference_config: InferenceConfig | None = None,
        *,
        resubmit: bool = False,
    ) -> str:
        """`infer_batch` for a caller with an event loop of its own."""
        config = self._settings_of_job(inference_config, is_list=conversations is not None)
        source = await asyncio.to_thread(open_source, conversations, config)
        return await _on_background_loop(self._submit(source, config, resubmit=resubmit))

    async def aget_batch_status(
        self, batch_id: str, inference_config: InferenceConfig | None = None
    ) -> BatchInfo:
        """`get_batch_status` for a caller with an event loop of its own."""
        return await _on_background_loop(self._status(batch_id, inference_config))

    async def aget_batch_results(
        self,
        batch_id: str,
        conversations: Conversations | None = None,
        inference_config: InferenceConfig | None = None,
    ) -> Sequence[Conversation]:
        """`get_batch_results` for a caller with an event loop of its own."""
        return await _on_background_loop(self._results(batch_id, conversations, inference_config))

    async def aget_batch_results_partial(
        self,
        batch_id: str,
        conversations: Conversations | None = None,
        inference_config: InferenceConfig | None = None,
    ) -> InferenceResult:
        """`get_batch_results_partial` for a caller with an event loop of its own."""
        return await _on_background_loop(self._partial(batch_id, conversations, inference_config))

    async def acancel_batch(
        self, batch_id: str, inference_config: InferenceConfig | None = None
    ) -> BatchInfo:
        """`cancel_batch` for a caller with an event loop of its own."""
        return await _on_background_loop(self._cancel(batch_id, inference_config))

    async def alist_batches(
        self, limit: int | None = None, inference_config: InferenceConfig | None = None
    ) -> list[BatchInfo]:
        """`list_batches` for a caller with an event loop of its own."""
        return await _on_background_loop(self._list(limit, inference_config))

    async def await_for_batch(
        self,
        batch_id: str,
        inference_config: InferenceConfig | None = None,
        *,
        poll_interval_s: float = _POLL_S,
        timeout_s: float | None = None,
        on_status: OnStatus | None = None,
    ) -> BatchInfo:
        """`wait_for_batch` for a caller with an event loop of its own."""
        waiting = self._wait(batch_id, inference_config, poll_interval_s, timeout_s, on_status)
        return await _on_background_loop(waiting)

    async def aresubmit_batch(
        self, batch_id: str, inference_config: InferenceConfig | None = None
    ) -> str:
        """`resubmit_batch` for a caller with an event loop of its own."""
        return await _on_background_loop(self._resubmit(batch_id, inference_config))

    async def _submit(self, source: Source, config: InferenceConfig, *, resubmit: bool) -> str:
        return await (await self._batches(config)).submit(source, config, resubmit=resubmit)

    def _settings_of_job(self, given: InferenceConfig | None, *, is_list: bool) -> InferenceConfig:
        """The effective settings of a new job, which has its input in a folder of its own."""
        from oumi.batch.media import pin_media_folder  # with the first batch job

        config = self._effective(given)
        check_no_budget(config)
        return pin_media_folder(config, is_list=is_list)

    async def _settings(self, given: InferenceConfig | None) -> InferenceConfig:
        """The effective settings. A model that is still to be loaded does not hold the loop up."""
        return await asyncio.to_thread(self._effective, given)

    async def _status(self, batch_id: str, given: InferenceConfig | None) -> BatchInfo:
        config = await self._settings(given)
        return await (await self._batches(config, batch_id)).status(batch_id, config)

    async def _results(
        self,
        batch_id: str,
        conversations: Conversations | None,
        given: InferenceConfig | None,
    ) -> Sequence[Conversation]:
        info = await self._status(batch_id, given)
        if not info.is_terminal:
            done = f"{info.completed_requests} of {info.total_requests} requests are done"
            raise UnavailableError(
                f"{batch_id} is {info.status}: {done}. wait_for_batch waits for it, and "
                "get_batch_results_partial returns what there is"
            )
        return (await self._partial(batch_id, conversations, given)).all()

    async def _partial(
        self,
        batch_id: str,
        conversations: Conversations | None,
        given: InferenceConfig | None,
    ) -> InferenceResult:
        config = await self._settings(given)
        if config.writes_table:
            raise ConfigError("output_path: the results of a batch job are conversations: .jsonl")
        check_output_name(config)
        held = config.model_copy(update={"output_path": None})  # in memory, as they were given
        source = None if conversations is None else open_source(conversations, held)
        batches = await self._batches(config, batch_id)
        return await batches.results(batch_id, source, config)

    async def _cancel(self, batch_id: str, given: InferenceConfig | None) -> BatchInfo:
        config = await self._settings(given)
        return await (await self._batches(config, batch_id)).cancel(batch_id, config)

    async def _list(self, limit: int | None, given: InferenceConfig | None) -> list[BatchInfo]:
        config = await self._settings(given)
        return await (await self._batches(config)).list(config, limit)

    async def _wait(
        self,
        batch_id: str,
        given: InferenceConfig | None,
        poll_interval_s: float,
        timeout_s: float | None,
        on_status: OnStatus | None,
    ) -> BatchInfo:
        ends_s = math.inf if timeout_s is None else time.monotonic() + timeout_s
        wait_s = min(_FIRST_POLL_S, poll_interval_s)
        while True:
            info = await self._poll(batch_id, given)
            if info is not None and on_status is not None:
                on_status(info)
            if info is not None and info.is_terminal:
                return info
            left_s = ends_s - time.monotonic()
            if left_s <= 0:
                raise UnavailableError(f"{batch_id} has not ended within {timeout_s:g} s")
            await asyncio.sleep(min(wait_s, left_s))
            wait_s = min(2 * wait_s, poll_interval_s)

    async def _poll(self, batch_id: str, given: InferenceConfig | None) -> BatchInfo | None:
        """How far a job is; None if that is unavailable now, which must not end a long wait."""
        try:
            return await self._status(batch_id, given)
        except UnavailableError as error:
            logger.warning("%s: %s; asking again", batch_id, error)
            return None

    async def _resubmit(self, batch_id: str, given: InferenceConfig | None) -> str:
        config = await self._settings(given)
        return await (await self._batches(config, batch_id)).resubmit(batch_id, config)


async def _on_background_loop(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run `work` on the library's background loop, and await it on the caller's."""
    return await asyncio.wrap_future(loop.submit(work))
