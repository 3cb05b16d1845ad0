"""The methods of an engine that turn texts into vectors."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.embedding_result import EmbeddingResult
from oumi.inference.inputs import without_input
from oumi.progress.showing import showing_progress
from oumi.runner import loop
from oumi.runner.events import Listener
from oumi.runner.session import Session

if TYPE_CHECKING:
    from oumi.runner.embedding_job import EmbeddingJob

TEXT_COLUMN = "text"
"""The column that is embedded unless the settings name another one."""


class EmbeddingMethods:
    """Texts in, vectors out."""

    @abstractmethod
    def embedding_session(self, inference_config: InferenceConfig | None = None) -> Session:
        """All that embeddings under these settings need of the engine."""

    def embed(
        self,
        texts: str | Iterable[str] | None = None,
        inference_config: InferenceConfig | None = None,
        *,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> EmbeddingResult:
        """The vectors of all texts, of a list or of a column of `input_path`, in their order.

        Limits, retries, budgets, the cache and `output_path` are those of `infer`. Raises
        InferenceError once all others are done and saved, if any text failed; its `result` holds
        the others. Raises UnsupportedError for an engine without embeddings.
        """
        with self._embedding_job(texts, inference_config, on_event, progress) as job:
            result = loop.call(job.run(), job)
        result.check()
        return result

    async def aembed(
        self,
        texts: str | Iterable[str] | None = None,
        inference_config: InferenceConfig | None = None,
        *,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> EmbeddingResult:
        """`embed` for a caller with an event loop of its own."""
        with self._embedding_job(texts, inference_config, on_event, progress) as job:
            result = await asyncio.wrap_future(loop.submit(job.run()))
        result.check()
        return result

    @contextmanager
    def _embedding_job(
        self,
        texts: str | Iterable[str] | None,
        config: InferenceConfig | None,
        on_event: Listener | None,
        progress: bool | None,
    ) -> Iterator[EmbeddingJob]:
        """The job of a call, whose progress is shown within the `with` block."""
        from oumi.runner.embedding_job import EmbeddingJob  # with the first embeddings

        config = _of_columns(config) if texts is None else without_input(config)
        with showing_progress(progress, on_event) as listener:
            yield EmbeddingJob(self.embedding_session(config), texts, listener)


def _of_columns(config: InferenceConfig | None) -> InferenceConfig:
    """The settings with the column that is embedded, unless they say what is. None of a row's
    columns are settings: these would be of answers.
    """
    config = (config or InferenceConfig()).merge(InferenceConfig(settings_column=""))
    if any((config.prompt, config.prompt_file, config.text_column)):
        return config
    return config.merge(InferenceConfig(text_column=TEXT_COLUMN))
