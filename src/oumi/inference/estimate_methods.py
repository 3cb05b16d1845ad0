"""The methods of an engine that say what a run will take."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.estimate import RunEstimate
from oumi.data.conversation_like import Conversations
from oumi.runner import loop
from oumi.runner.events import Listener

if TYPE_CHECKING:
    from oumi.runner.inference_job import InferenceJob


class EstimateMethods:
    """The price before."""

    @abstractmethod
    def _job(
        self,
        conversations: Conversations | None,
        config: InferenceConfig | None,
        progress_path: str | Path | None,
        on_event: Listener | None,
        progress: bool | None,
    ) -> AbstractContextManager[InferenceJob]:
        """The run that is estimated."""

    def estimate(
        self,
        input: Conversations | None = None,  # noqa: A002  as `infer` has it
        inference_config: InferenceConfig | None = None,
        *,
        pilot: int = 0,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> RunEstimate:
        """What `infer` would take for the same: tokens, dollars, and time under the limits.

        Nothing is sent and nothing is written, unless `pilot` rows are to be asked first, spread
        over the input. They need an `output_path`: their answers are recorded beside it, and no
        later call asks them again. Answers that are recorded narrow the range, from ten on, and
        their rows are not in it. `progress` is for a pilot, as `infer` has it. Raises what `infer`
        raises before it asks, and for a pilot also what ends a run.
        """
        shown = progress if pilot else False
        with self._job(input, inference_config, None, on_event, shown) as job:
            return loop.call(job.estimate(pilot), job)

    async def aestimate(
        self,
        input: Conversations | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        pilot: int = 0,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> RunEstimate:
        """`estimate` for a caller with an event loop of its own."""
        shown = progress if pilot else False
        with self._job(input, inference_config, None, on_event, shown) as job:
            return await asyncio.wrap_future(loop.submit(job.estimate(pilot)))
