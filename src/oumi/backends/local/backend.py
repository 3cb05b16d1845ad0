"""What the backends share whose model runs on this machine."""

from __future__ import annotations

import atexit
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from oumi.backends.base import Backend
from oumi.backends.chat_templates.system_role import fold_system_messages
from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.adapters import check_adapter_name
from oumi.backends.local.call_check import check_calls
from oumi.backends.local.chat_template import check_thinking
from oumi.backends.local.continuation import continue_final_message
from oumi.backends.local.model_files import find_folders, fingerprint
from oumi.backends.local.thinking import (
    answer_request,
    is_all,
    joined,
    may_need_parts,
    no_thought,
    thinking_budget,
    thought_request,
)
from oumi.backends.media.loader import MediaLoader
from oumi.backends.media.support import unsupported
from oumi.core.configs import ModelParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.forks import fresh_thread, keep_forever, watch_forks
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import FinishReason
from oumi.core.types.embedding import Embeddings
from oumi.errors import ConfigError, EngineError, UnsupportedError
from oumi.runner.cost import given_price
from oumi.runner.embedding_request import EmbeddingRequest
from oumi.runner.limits.config import Limits
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.prompt_tokens import PromptTokens, exactly
from oumi.runner.request import Request
from oumi.runner.session import Session
from oumi.structured.contract import make_contract


@dataclass(frozen=True, kw_only=True)
class LocalSession(Session):
    """Hands requests to the runtime's own scheduler."""

    backend: LocalBackend = field(repr=False)

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        self.backend.check_process()
        request, prefill = continue_final_message(self.backend.adapted(request))
        if await self._thinks_apart(request):
            completion = await self._complete_in_parts(request)
        else:
            completion = await self.backend.complete(request)
        return _with_facts(completion, request, prefill)

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        self.backend.check_process()
        request, prefill = continue_final_message(self.backend.adapted(request))
        in_parts = await self._thinks_apart(request)
        deltas = self._stream_in_parts(request) if in_parts else self.backend.stream(request)
        async for delta in deltas:
            if delta.completion is not None:
                completion = _with_facts(delta.completion, request, prefill)
                delta = replace(delta, completion=completion)
            yield delta

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """The vectors of texts."""
        self.backend.check_process()
        return await self.backend.embed(request)

    async def count_prompt(self, request: Request) -> PromptTokens:
        """Counted by the model's own tokenizer, but where media would have to be loaded."""
        if self._names_media(request):
            return await super().count_prompt(request)
        self.backend.check_process()
        request, _ = continue_final_message(self.backend.adapted(request))
        return exactly(await self.backend.count_tokens(request))

    async def render(self, request: Request) -> str:
        """As the chat template writes it, but where media would have to be loaded."""
        if self._names_media(request):
            return await super().render(request)
        self.backend.check_process()
        return await self.backend.render(self.backend.adapted(request))

    @staticmethod
    def _names_media(request: Request) -> bool:
        return any(message.contains_media() for message in request.conversation.messages)

    async def _thinks_apart(self, request: Request) -> bool:
        """Whether the thought is generated before the answer, not with it."""
        if not request.config.generation.apply_chat_template:
            return False
        if not (self.backend.template.marks_thoughts and may_need_parts(request)):
            return False
        return await self.backend.opens_thought(request)

    async def _complete_in_parts(self, request: Request) -> Completion:
        thought = no_thought()
        if thinking_budget(request.config.generation) != 0:
            thought = await self.backend.complete(thought_request(request))
            if is_all(request, thought):
                return thought
        return joined(thought, await self.backend.complete(answer_request(request, thought)))

    async def _stream_in_parts(self, request: Request) -> AsyncGenerator[Delta]:
        thought = no_thought()
        if thinking_budget(request.config.generation) != 0:
            async for delta in self.backend.stream(thought_request(request)):
                if delta.completion is None:
                    yield delta
                elif is_all(request, delta.completion):
                    yield delta
                    return
                else:
                    thought = delta.completion
        async for delta in self.backend.stream(answer_request(request, thought)):
            if delta.completion is not None:
                delta = replace(delta, completion=joined(thought, delta.completion))
            yield delta


def _with_facts(completion: Completion, request: Request, prefill: str | None) -> Completion:
    """The completion with what it continues, and whether the context cut it off.

    Raises StructuredOutputError for calls that are none of the row's tools.
    """
    is_cut_off = completion.finish_reason is FinishReason.LENGTH
    budget = request.config.generation.max_new_tokens
    is_full = is_cut_off and completion.usage.completion_tokens < budget
    check_calls(completion, request)
    if prefill is None and not is_full:
        return completion
    return completion._replace(prefill=prefill, context_full=is_full)


class LocalBackend(Backend):
    """Holds one model, loaded when the backend is made, with one set of model settings."""

    scheduling: ClassVar[frozenset[str]] = frozenset()
    """Names in `model_kwargs` that decide how fast and where an answer is made, not what it is."""

    template = ChatTemplate()
    """What the model's chat template can render, which `_load` finds out."""

    def __init__(self, row: EngineRow, config: InferenceConfig):
        super().__init__(row, config)
        self.check_model(config.model)
        fresh_thread(self._load)
        self._fingerprint = fingerprint(self._model_files())
        watch_forks(self)

    def after_fork(self) -> None:
        """The model's threads and processes are the parent's, which alone may end them."""
        self.is_of_parent = True
        atexit.unregister(self.close)
        keep_forever(self)

    def check_process(self) -> None:
        """Raise EngineError in a child that was forked since the model was loaded."""
        if self.is_of_parent:
            raise EngineError(
                "this session is of the process that loaded the model: ask the engine for another"
            )

    def session(self, config: InferenceConfig) -> Session:
        """Bounds what is in flight, and never retries: a local runtime fails for good."""
        in_flight = self.max_in_flight(config)
        return LocalSession(
            name=self.name,
            config=config,
            identity=self.identity(config),
            max_in_flight=in_flight,
            limiter=Limiter(Limits(in_flight=in_flight, adaptive=False)),
            retry_policy=RetryPolicy(max_retries=0),
            contract=make_contract(config.generation, is_sampled_here=True),
            price=given_price(config.price, config.model.model_name),
            backend=self,
            # The runtime is given bytes, and so reads no file and no address by itself.
            media=MediaLoader.from_config(config, self._check_takes, loads_urls=True),
        )

    def check(self, config: InferenceConfig) -> None:
        """Raise ConfigError for other settings of the model than those it was loaded with."""
        if self.template.text:  # it is known once the model is loaded
            check_thinking(config.generation, self.template)
        check_adapter_name(config)
        # Fields without effect, which dumps leave out, may differ.
        if config.model.model_dump() != self.config.model.model_dump():
            raise ConfigError(
                f"this engine holds {self.config.model.model_name!r} with its own model settings; "
                "make another engine for others"
            )

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """The engine, the model's settings but for those that only schedule, and its files."""
        kwargs = config.model.model_kwargs.items()
        shaping = {name: value for name, value in kwargs if name not in self.scheduling}
        model = config.model.model_copy(update={"model_kwargs": shaping})
        return {
            "engine": self.name,
            "model": model.key_values(),
            "files": self._fingerprint,
        }

    def adapted(self, request: Request) -> Request:
        """The request as the model's chat template can render it. Raises ConfigError where it needs
        one and there is none.
        """
        if request.config.generation.apply_chat_template:
            self.template.checked(self.config.model)
        if self.template.has_system_role:
            return request
        folded = fold_system_messages(request.conversation, request.config.model.model_name)
        return request._replace(conversation=folded)

    def check_takes_images(self) -> None:
        """Raise UnsupportedError where the model takes no images."""

    def _check_takes(self, kind: str) -> None:
        if kind != "image":
            raise unsupported(self.name, kind)
        self.check_takes_images()

    @classmethod
    def check_model(cls, model: ModelParams) -> None:
        """Raise what is wrong with the model's settings, as far as that shows without its files."""

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer one request, whose images are bytes or data URLs."""

    @abstractmethod
    def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """The vectors of texts. Raises UnsupportedError where the engine makes none."""
        raise UnsupportedError(f"{self.name} makes no embeddings")

    @abstractmethod
    async def opens_thought(self, request: Request) -> bool:
        """Whether the prompt ends inside of a thought, where the engine cannot close it itself."""

    @abstractmethod
    def max_in_flight(self, config: InferenceConfig) -> int:
        """Most requests worth having begun at once."""

    @abstractmethod
    def _load(self) -> None:
        """Load the model that the settings name, and try its chat template out.

        Raises ConfigError for a template that cannot be used.
        """

    def _model_files(self) -> Sequence[Path]:
        """Files and folders that hold the model, as far as they lie on this machine."""
        return find_folders(self.config.model)
