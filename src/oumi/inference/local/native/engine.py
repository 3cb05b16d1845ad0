"""The NATIVE engine."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import torch
from transformers import TextStreamer

from oumi.core.configs import InferenceConfig, InferenceEngineType
from oumi.core.types.completion import Completion, Delta
from oumi.errors import EngineError, UnsupportedError
from oumi.inference.local.chat_text import encode
from oumi.inference.local.engine import LocalInferenceEngine
from oumi.inference.local.native.batch import Prompt, generate
from oumi.inference.local.native.batcher import Batcher
from oumi.inference.local.native.loading import Loaded, load
from oumi.runner.request import Request
from oumi.structured.grammar import to_lark

_ROWS = 64


class NativeTextInferenceEngine(LocalInferenceEngine):
    """Any text model that Transformers loads; rows share batches of like length."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.NATIVE

    def _load(self) -> None:
        self._loaded: Loaded | None = load(self._config.model)
        self._batcher = Batcher(lambda prompts: generate(self._open(), prompts), _ROWS)

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        prompt = Prompt(request, encode(request, self._open()))
        return await asyncio.wrap_future(self._batcher.submit(prompt))

    async def stream_completion(self, request: Request) -> AsyncIterator[Delta]:
        """Answer one request piece by piece."""
        prompt = Prompt(request, encode(request, self._open()))
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Delta | Exception] = asyncio.Queue()
        streamer = _Streamer(
            self._open().tokenizer,
            lambda text: loop.call_soon_threadsafe(pieces.put_nowait, Delta(text)),
            skip_special_tokens=request.config.generation.skip_special_tokens,
        )
        closed = False

        def work() -> None:
            try:
                [completion] = generate(self._open(), [prompt], streamer, lambda: closed)
                last: Delta | Exception = Delta(completion=completion)
            except Exception as error:
                last = error
            loop.call_soon_threadsafe(pieces.put_nowait, last)

        self._batcher.run(work)
        try:
            while True:
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if piece.completion is not None:
                    return
        finally:
            closed = True

    def in_flight(self, config: InferenceConfig) -> int:
        """Enough for the next batches to be chosen from while one runs."""
        return 4 * (config.generation.batch_size or _ROWS)

    def close(self) -> None:
        """Free the model."""
        self._batcher.close()
        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _open(self) -> Loaded:
        if self._loaded is None:
            raise EngineError("the engine is closed")
        return self._loaded

    def _check(self, config: InferenceConfig) -> None:
        super()._check(config)
        generation = config.generation
        if generation.num_beams > 1 and generation.temperature > 0:
            raise UnsupportedError("NATIVE searches with num_beams at temperature 0 only")
        if generation.guided_decoding is not None:
            to_lark(generation.guided_decoding)


class _Streamer(TextStreamer):  # type: ignore[misc]
    """Hands each finished piece of text on."""

    def __init__(self, tokenizer: Any, take: Any, **decoding: Any):
        super().__init__(tokenizer, skip_prompt=True, **decoding)
        self._take = take

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """A piece that will not change any more."""
        if text:
            self._take(text)
