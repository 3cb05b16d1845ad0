"""The NATIVE backend."""

from __future__ import annotations

import asyncio
import atexit
import gc
from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple

import torch

from oumi.backends.local.backend import LocalBackend
from oumi.backends.local.chat_template import opens_thought
from oumi.backends.local.native.arguments import loading_args
from oumi.backends.local.native.loading import LoadedModel, load
from oumi.backends.local.native.prompt import encode, render
from oumi.backends.local.native.sampling import SamplerCache
from oumi.backends.local.native.sequence import Sequence, make_sequence
from oumi.backends.local.native.worker import Worker
from oumi.core.configs import ModelParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.errors import EngineError, UnsupportedError
from oumi.runner.request import Request
from oumi.structured.sampler.grammar import check_guidance

_PLACES = 64


class _Parts(NamedTuple):
    loaded: LoadedModel
    samplers: SamplerCache
    worker: Worker


class NativeBackend(LocalBackend):
    """Any text or vision model that Transformers loads; rows join and leave its steps."""

    @classmethod
    def check_model(cls, model: ModelParams) -> None:
        """Raise ConfigError for what Transformers would not take."""
        loading_args(model)

    def _load(self) -> None:
        needs_template = self.config.generation.apply_chat_template
        loaded = load(self.config.model, needs_template=needs_template)
        self.template = loaded.template
        self._parts: _Parts | None = _Parts(loaded, SamplerCache(loaded), Worker(loaded, _PLACES))
        # The thread must not be in the middle of a step when Python takes the runtime down.
        atexit.register(self.close)

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        row = await self._begin(request)
        return await asyncio.wrap_future(row.future)

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Delta | None] = asyncio.Queue()

        def put(piece: Delta | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        row = await self._begin(request, put)
        row.future.add_done_callback(lambda _: put(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            row.future.result()
        finally:
            row.future.cancel()

    async def opens_thought(self, request: Request) -> bool:
        """Whether the prompt ends inside of a thought."""
        parts = self._parts
        return parts is not None and opens_thought(
            request, parts.loaded.tokenizer, parts.loaded.template
        )

    async def render(self, request: Request) -> str:
        """The prompt of a request, as its chat template writes it."""
        if self._parts is None:
            raise EngineError("the engine is closed")
        return await render(request, self._parts.loaded)

    async def count_tokens(self, request: Request) -> int:
        """How many tokens the prompt of a request has."""
        if self._parts is None:
            raise EngineError("the engine is closed")
        return len((await encode(request, self._parts.loaded)).ids)

    def check_takes_images(self) -> None:
        """Raise UnsupportedError for a model of text alone."""
        if self._parts is not None and self._parts.loaded.processor is None:
            raise UnsupportedError(f"{self.config.model.model_name} takes no images")

    def max_in_flight(self, config: InferenceConfig) -> int:
        """Enough to choose rows of like length from while others are worked on."""
        return 4 * (config.generation.batch_size or _PLACES)

    def close(self) -> None:
        """Free the model, after what was begun."""
        atexit.unregister(self.close)
        if self._parts is not None:
            self._parts.worker.close()
        self._parts = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    async def _begin(
        self, request: Request, show: Callable[[Delta], None] | None = None
    ) -> Sequence:
        parts = self._parts
        if parts is None:
            raise EngineError("the engine is closed")
        prompt = await encode(request, parts.loaded)
        sampler = parts.samplers.get(request.config.generation)
        row = make_sequence(parts.loaded, prompt, sampler, show)
        parts.worker.submit(row)
        return row

    def check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with settings before anything is generated."""
        super().check(config)
        generation = config.generation
        if generation.num_beams > 1:
            _check_beams(config)
        if generation.guided_decoding is not None:
            check_guidance(generation.guided_decoding)


def _check_beams(config: InferenceConfig) -> None:
    generation = config.generation
    if generation.temperature > 0:
        raise UnsupportedError("NATIVE searches with num_beams at temperature 0 only")
    if generation.logprobs is not None:
        raise UnsupportedError("NATIVE has no logprobs of a search with num_beams")
