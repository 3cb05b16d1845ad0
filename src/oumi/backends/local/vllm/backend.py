"""The VLLM backend."""

from __future__ import annotations

import atexit
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, ClassVar

from oumi.backends.local.backend import LocalBackend
from oumi.backends.local.chat_template import THINK
from oumi.backends.local.tool_calls import forced_schema, offered_tools
from oumi.backends.local.vllm.answer import Reader, TextReader, Written
from oumi.backends.local.vllm.arguments import GUIDANCE, SCHEDULING, constraining
from oumi.backends.local.vllm.parsing import check_parsers, parsing_reader
from oumi.backends.local.vllm.prompt import render
from oumi.backends.local.vllm.runtime import start
from oumi.backends.local.vllm.sampling import sampling_params
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.runner import loop
from oumi.runner.request import Request
from oumi.structured.schema.grammar import to_lark

# An open thought at the end of a prompt stands within so many tokens.
_TAIL = 16


class VLLMBackend(LocalBackend):
    """vLLM in a process of its own; its scheduler batches whatever is in flight."""

    scheduling: ClassVar[frozenset[str]] = SCHEDULING

    def _load(self) -> None:
        model = self.config.model
        check_parsers(model)
        self._grammar_backend = constraining(model).backend
        self._runtime = loop.call(start(model))
        # vLLM's process has to be ended while its code can still run.
        atexit.register(self.close)

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        written, reader, outputs = await self._ask(request, stream=False)
        async for output in outputs:
            written.add(output)
        return reader.whole(written)

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        written, reader, outputs = await self._ask(request, stream=True)
        async for output in outputs:
            written.add(output)
            piece = reader.piece(written)
            if piece is not None:
                yield piece
        for piece in reader.end(written):
            yield piece

    def max_in_flight(self, config: InferenceConfig) -> int:
        """Twice what vLLM works on at once, so that its scheduler always has a choice."""
        return config.generation.batch_size or 2 * self._runtime.rows

    def close(self) -> None:
        """End vLLM's process and free its memory."""
        atexit.unregister(self.close)
        self._runtime.close()

    async def _ask(
        self, request: Request, *, stream: bool
    ) -> tuple[Written, Reader, AsyncIterator[Any]]:
        prompt = await render(request, self._runtime)
        written = Written(prompt["prompt_token_ids"])
        parsing = parsing_reader(request, self._runtime)
        reader = parsing or TextReader(request, thinking=self._opens_thought(written.prompt))
        params = sampling_params(
            request.config.generation,
            stream=stream,
            schema=forced_schema(request),
            backend=self._grammar_backend,
            # The marks of a call are special tokens of some models.
            special_tokens=parsing.special_tokens if parsing else bool(offered_tools(request)),
        )
        return written, reader, self._runtime.generate(prompt, params)

    def _opens_thought(self, prompt: list[int]) -> bool:
        if not self._runtime.may_think:
            return False
        tail: str = self._runtime.tokenizer.decode(prompt[-_TAIL:])
        return tail.rstrip().endswith(THINK)

    def check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with settings before anything is generated."""
        super().check(config)
        sampling_params(config.generation)
        # Another grammar backend refuses by itself what it cannot keep.
        is_guidance = constraining(config.model).backend == GUIDANCE
        if config.generation.guided_decoding is not None and is_guidance:
            to_lark(config.generation.guided_decoding)
