"""The VLLM engine."""

from __future__ import annotations

import atexit
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from oumi.core.configs import InferenceConfig, InferenceEngineType
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.inference.chat_api import decode_finish_reason
from oumi.inference.local.chat_text import encode, to_completion
from oumi.inference.local.engine import LocalInferenceEngine
from oumi.inference.local.vllm.arguments import engine_args, sampling_params
from oumi.inference.local.vllm.runtime import Runtime
from oumi.runner import loop
from oumi.runner.request import Request


class VLLMInferenceEngine(LocalInferenceEngine):
    """vLLM in a process of its own; its scheduler batches whatever is in flight."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.VLLM

    def _load(self) -> None:
        self._runtime = loop.call(self._start())
        # vLLM's process has to be ended while its code can still run.
        atexit.register(self.close)

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        ids = encode(request, self._runtime)
        params = sampling_params(request.config.generation, stream=False)
        output = None
        async for output in self._runtime.generate(ids, params):  # noqa: B007  the last one counts
            pass
        [answer] = output.outputs  # type: ignore[union-attr]
        return self._complete(request, ids, answer.text, answer)

    async def stream_completion(self, request: Request) -> AsyncIterator[Delta]:
        """Answer one request piece by piece."""
        ids = encode(request, self._runtime)
        params = sampling_params(request.config.generation, stream=True)
        text, tokens, answer = "", 0, None
        async for output in self._runtime.generate(ids, params):
            [answer] = output.outputs
            text += answer.text
            tokens += len(answer.token_ids)
            if answer.text:
                yield Delta(answer.text)
        yield Delta(completion=self._complete(request, ids, text, answer, tokens))

    def in_flight(self, config: InferenceConfig) -> int:
        """A few more than vLLM works on at once, so that its scheduler always has a choice."""
        return config.generation.batch_size or 2 * self._runtime.rows

    def close(self) -> None:
        """End vLLM's process and free its memory."""
        atexit.unregister(self.close)
        loop.call(self._stop())

    def _complete(
        self, request: Request, ids: list[int], text: str, answer: Any, tokens: int | None = None
    ) -> Completion:
        count = len(answer.token_ids) if tokens is None else tokens
        reason = decode_finish_reason(answer.finish_reason)
        logprobs = _logprobs(answer.logprobs) if answer.logprobs is not None else None
        return to_completion(text, reason, Usage(len(ids), count), request, logprobs)

    async def _start(self) -> Runtime:
        model = self._config.model
        runtime = Runtime(engine_args(model), model.adapter_model)
        if model.chat_template:
            runtime.tokenizer.chat_template = model.chat_template
        return runtime

    async def _stop(self) -> None:
        self._runtime.close()

    def _check(self, config: InferenceConfig) -> None:
        super()._check(config)
        sampling_params(config.generation, stream=False)


def _logprobs(steps: Any) -> dict[str, Any]:
    """In the form of the OpenAI API: for each token its log-probability and the likeliest ones."""
    content = []
    for step in steps:
        tokens = [{"token": p.decoded_token, "logprob": p.logprob} for p in step.values()]
        content.append({**tokens[0], "top_logprobs": tokens})
    return {"content": content}
