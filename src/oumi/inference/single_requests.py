"""One conversation at a time: its answer, whole or as a stream, its prompt and its tokens."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import engine_rows
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.data.conversation_like import ConversationLike, to_conversations
from oumi.data.source import ListSource
from oumi.errors import ConfigError, UnsupportedError
from oumi.inference.inputs import without_input
from oumi.runner import loop
from oumi.runner.limits.budget import budget_of_call
from oumi.runner.request import Request
from oumi.runner.row_context import RowContext
from oumi.runner.row_task import RowTask
from oumi.runner.session import Session
from oumi.runner.storage.memory import MemoryStore


class SingleRequests:
    """The methods of an engine that ask it one thing, without a run around it."""

    _config: InferenceConfig

    @classmethod
    @abstractmethod
    def row(cls) -> EngineRow:
        """The facts about this engine."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The engine's name."""

    @property
    @abstractmethod
    def _backend(self) -> Backend:
        """What answers."""

    @abstractmethod
    def session(self, inference_config: InferenceConfig | None = None) -> Session:
        """All that requests under these settings need of the engine."""

    def complete(
        self, conversation: ConversationLike, inference_config: InferenceConfig | None = None
    ) -> Completion:
        """One answer, within the limits of the engine and with its retries and repairs.

        Raises the error for which there is none, such as UnavailableError.
        """
        return loop.call(_complete(self._task(conversation, inference_config)))

    async def acomplete(
        self, conversation: ConversationLike, inference_config: InferenceConfig | None = None
    ) -> Completion:
        """`complete` for a caller with an event loop of its own."""
        task = self._task(conversation, inference_config)
        return await asyncio.wrap_future(loop.submit(_complete(task)))

    def stream(
        self, conversation: ConversationLike, inference_config: InferenceConfig | None = None
    ) -> Generator[Delta]:
        """The answer piece by piece; the last piece carries the whole. Closing it stops it.

        The whole is validated as an answer of `infer` is, but nothing is asked again: an answer
        that is not valid raises StructuredOutputError after its last piece.
        """
        return loop.iterate(_stream(self._task(conversation, inference_config)))

    def astream(
        self, conversation: ConversationLike, inference_config: InferenceConfig | None = None
    ) -> AsyncGenerator[Delta]:
        """`stream` for a caller with an event loop of its own."""
        return loop.aiterate(_stream(self._task(conversation, inference_config)))

    def apply_chat_template(self, conversation: ConversationLike, **variables: Any) -> str:
        """The prompt that the model is given for a conversation, as its chat template writes it.

        `variables` are further ones of the template, such as `add_generation_prompt=False`; they go
        before `model.chat_template_kwargs`. Raises UnsupportedError where the model is behind an
        API, and RequestError for what the template refuses.
        """
        if self.row().provider is not None:
            able = ", ".join(row.name for row in engine_rows() if row.provider is None)
            raise UnsupportedError(
                f"{self.name}: the template is applied by the server; engines that hold it: {able}"
            )
        if variables.pop("tokenize", False):
            raise UnsupportedError("apply_chat_template gives text: leave out tokenize")
        return loop.call(self._render(self._backend, conversation, variables))

    def count_tokens(self, conversation: ConversationLike) -> int:
        """How many tokens the prompt of a conversation has, as its chat template writes it.

        Raises UnsupportedError where the model is behind an API.
        """
        return loop.call(self._count_tokens(self._backend, conversation))

    async def acount_tokens(self, conversation: ConversationLike) -> int:
        """`count_tokens` for a caller with an event loop of its own."""
        counting = self._count_tokens(self._backend, conversation)
        return await asyncio.wrap_future(loop.submit(counting))

    def _task(self, conversation: ConversationLike, config: InferenceConfig | None) -> RowTask:
        session = self.session(without_input(config))
        if session.batch_phase is not None:
            raise UnsupportedError("batch: one answer comes at once: leave `batch` out")
        if session.config.generation.num_samples > 1:
            raise ConfigError("generation.num_samples: this is one answer; infer gives several")
        row = next(session.rows(ListSource(to_conversations([conversation]))))
        budget = budget_of_call(session.config, session.price)
        return RowTask(session, row, MemoryStore(), RowContext(budget=budget))

    async def _render(
        self, backend: Backend, conversation: ConversationLike, variables: dict[str, Any]
    ) -> str:
        kwargs = {**(self._config.model.chat_template_kwargs or {}), **variables}
        model = self._config.model.model_copy(update={"chat_template_kwargs": kwargs})
        config = self._config.model_copy(update={"model": model})
        return await backend.render(await self._rendered_request(backend, conversation, config))

    async def _count_tokens(self, backend: Backend, conversation: ConversationLike) -> int:
        request = await self._rendered_request(backend, conversation, self._config)
        return await backend.count_tokens(request)

    async def _rendered_request(
        self, backend: Backend, conversation: ConversationLike, config: InferenceConfig
    ) -> Request:
        """A request as a chat template renders it: with all that it names loaded."""
        media = backend.session(self._config).media
        [asked] = to_conversations([conversation])
        request = Request(asked, config)
        if media is not None and media.is_needed(request):
            request = await media.load(request)
        return backend.adapted(request)


async def _complete(task: RowTask) -> Completion:
    return _with_usage(await task.complete())


async def _stream(task: RowTask) -> AsyncGenerator[Delta]:
    async with aclosing(task.stream()) as deltas:
        async for delta in deltas:
            if delta.completion is not None:
                delta = replace(delta, completion=_with_usage(delta.completion))
            yield delta


def _with_usage(completion: Completion) -> Completion:
    """The same for an answer whose message leaves without a conversation."""
    message = completion.message.with_usage(completion.usage.to_dict())
    return completion._replace(message=message)
