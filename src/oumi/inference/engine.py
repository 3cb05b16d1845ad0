"""The face of all engines: their public methods. What answers is the backend behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from oumi.backends.base import Backend
from oumi.backends.effective_settings import with_effective_model
from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import (
    effective_settings,
    embedding_session_of,
    find_engine,
    session_of,
    supported_settings,
)
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types.conversation import Conversation
from oumi.core.types.result import InferenceResult
from oumi.data.conversation_like import Conversations
from oumi.data.opening import open_source
from oumi.inference.backend_slot import BackendSlot
from oumi.inference.batch_methods import BatchMethods
from oumi.inference.embedding_methods import EmbeddingMethods
from oumi.inference.estimate_methods import EstimateMethods
from oumi.inference.inputs import without_input
from oumi.inference.pickling import check_picklable
from oumi.inference.single_requests import SingleRequests
from oumi.progress.showing import showing_progress
from oumi.runner import loop
from oumi.runner.events import Listener
from oumi.runner.session import Session

if TYPE_CHECKING:
    from oumi.batch.service import Batches
    from oumi.runner.inference_job import InferenceJob


class InferenceEngine(SingleRequests, EmbeddingMethods, BatchMethods, EstimateMethods):
    """A loaded model or a reachable API. Usable as a context manager; safe to use from threads, in
    forked children, and pickled.

    Settings given to a call win over those given here, field by field, where they are set.
    """

    engine_type: ClassVar[str]
    """The engine's name."""

    def __init__(
        self,
        model_params: ModelParams | None = None,
        *,
        generation_params: GenerationParams | None = None,
        remote_params: RemoteParams | None = None,
        **backend_arguments: Any,
    ):
        given = InferenceConfig(
            model=model_params or ModelParams(),
            generation=generation_params or GenerationParams(),
            remote_params=remote_params,
        )
        self._open(given, backend_arguments)

    @classmethod
    def from_config(cls, config: InferenceConfig) -> Self:
        """The engine under the settings of a run, of which those of its files do not matter."""
        engine = cls.__new__(cls)
        given = InferenceConfig(
            model=config.model,
            generation=config.generation,
            embedding=config.embedding,
            remote_params=config.remote_params,
            cluster=config.cluster,
        )
        engine._open(given, {})
        return engine

    def _open(self, given: InferenceConfig, arguments: dict[str, Any]) -> None:
        row = self.row()
        self._config = with_effective_model(row, given).model_copy(deep=True)
        self._arguments = arguments
        self._slot = BackendSlot(row, self._config, arguments)
        self._slot.get()

    @classmethod
    def row(cls) -> EngineRow:
        """The facts about this engine: what it needs, and which settings it supports."""
        return find_engine(cls.engine_type)

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.row().name

    def infer(
        self,
        input: Conversations | None = None,  # noqa: A002  the name users know
        inference_config: InferenceConfig | None = None,
        *,
        progress_path: str | Path | None = None,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> Sequence[Conversation]:
        """Answer all conversations, of a list or of `input_path`, in their order.

        Any iterable will do, of conversations, texts, lists of messages or dicts. An iterator is
        gone through once; with `output_path` it is held on disk rather than in memory.
        With `output_path` the answers are saved, and a rerun asks only for what is missing.
        `progress_path` goes before the setting of that name. `progress` says whether a bar or lines
        on standard error show how far the run is; None: on a terminal and in a notebook.
        Raises InferenceError once all others are done and saved, if any row failed.
        """
        with self._job(input, inference_config, progress_path, on_event, progress) as job:
            return loop.call(job.run(), job).all()

    def infer_partial(
        self,
        input: Conversations | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        progress_path: str | Path | None = None,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> InferenceResult:
        """The same, but rows that failed are part of the result: also those that were not asked,
        because the run came to an end before, such as by a quota that is used up.
        """
        with self._job(input, inference_config, progress_path, on_event, progress) as job:
            return loop.call(job.run_partial(), job)

    async def ainfer(
        self,
        input: Conversations | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        progress_path: str | Path | None = None,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> Sequence[Conversation]:
        """`infer` for a caller with an event loop of its own."""
        with self._job(input, inference_config, progress_path, on_event, progress) as job:
            return (await asyncio.wrap_future(loop.submit(job.run()))).all()

    async def ainfer_partial(
        self,
        input: Conversations | None = None,  # noqa: A002
        inference_config: InferenceConfig | None = None,
        *,
        progress_path: str | Path | None = None,
        on_event: Listener | None = None,
        progress: bool | None = None,
    ) -> InferenceResult:
        """`infer_partial` for a caller with an event loop of its own."""
        with self._job(input, inference_config, progress_path, on_event, progress) as job:
            return await asyncio.wrap_future(loop.submit(job.run_partial()))

    def session(self, inference_config: InferenceConfig | None = None) -> Session:
        """All that a run under these settings needs of this engine, for code that runs rows by
        itself. Raises what is wrong with the settings.
        """
        config = self._effective(inference_config)
        session = session_of(self._backend, config)
        if not config.batch:
            return session
        from oumi.batch.phase import open_phase  # with the first run by a batch job

        return replace(session, batch_phase=open_phase(self._backend, session))

    def embedding_session(self, inference_config: InferenceConfig | None = None) -> Session:
        """The same for rows whose texts are embedded, for which settings of answers do not count.
        Raises UnsupportedError, which names the engines that can.
        """
        given = self._config.merge(inference_config)
        bare = given.model_copy(update={"generation": GenerationParams()})
        config = effective_settings(self.row(), bare)
        self._backend.check(config)
        return embedding_session_of(self._backend, config)

    async def aembed_batch(self, inference_config: InferenceConfig | None = None) -> str:
        """Submit the texts of `input_path`, each a conversation of one message, as a job that this
        machine works off. Returns its id, by which the batch methods look at it and cancel it.

        Raises UnsupportedError, which names the engines that can.
        """
        from oumi.batch.local.service import LocalJobs  # with the first batch job

        config = self.embedding_session(inference_config).config
        source = await asyncio.to_thread(open_source, None, config)
        jobs = LocalJobs(self._backend, self._unknown_class)
        return await asyncio.wrap_future(loop.submit(jobs.submit(source, config, embeds=True)))

    def list_models(self, chat_only: bool = True) -> list[str]:
        """The names of the models that can be asked: those that the API lists, or the engine's own.

        Unless `chat_only` is False, models that are known to do something else are left out, such
        as those that make embeddings, images or speech.
        """
        return self._backend.list_models(chat_only=chat_only)

    def get_supported_params(self) -> set[str]:
        """The names of the settings in `GenerationParams` that this engine honours."""
        paths = supported_settings(self.row(), self._config)
        return {path.split(".")[1] for path in paths if path.startswith("generation.")}

    def close(self) -> None:
        """Free what the engine holds. Closing twice is fine."""
        self._slot.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self._config.model.model_name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """An engine is pickled as its settings; where it is unpickled, its model is loaded when it
        is first used. Raises ConfigError for settings that hold a key.
        """
        check_picklable(self.row(), self._config, self._arguments)
        state = {name: value for name, value in vars(self).items() if name != "_slot"}
        return *self._maker(), state

    @classmethod
    def _maker(cls) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What makes an engine without settings in another process."""
        return _new, (cls,)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._slot = BackendSlot(self.row(), self._config, self._arguments)

    @property
    def _backend(self) -> Backend:
        return self._slot.get()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _job(
        self,
        conversations: Conversations | None,
        config: InferenceConfig | None,
        progress_path: str | Path | None,
        on_event: Listener | None,
        progress: bool | None,
    ) -> Iterator[InferenceJob]:
        """The job of a call, whose progress is shown within the `with` block."""
        from oumi.runner.inference_job import InferenceJob  # with the first run

        if progress_path is not None:
            named = InferenceConfig(progress_path=str(progress_path))
            config = (config or InferenceConfig()).merge(named)
        with showing_progress(progress, on_event) as listener:
            session = self.session(config if conversations is None else without_input(config))
            yield InferenceJob(session, conversations, listener)

    def _effective(self, inference_config: InferenceConfig | None) -> InferenceConfig:
        """The settings of a call over those of the engine, checked."""
        config = effective_settings(self.row(), self._config.merge(inference_config))
        self._backend.check(config)
        return config

    async def _batches(self, config: InferenceConfig, batch_id: str | None = None) -> Batches:
        """Who works on batch jobs under these settings, or on the one that is named."""
        from oumi.batch.opening import open_service

        return await open_service(self._backend, config, batch_id, self._unknown_class)

    @property
    def _unknown_class(self) -> str | None:
        """The name of a class that the process of a local job could not make."""
        name = type(self).__name__
        return None if name == self.row().class_name else name


def _new(kind: type[InferenceEngine]) -> InferenceEngine:
    return kind.__new__(kind)
