"""The LLAMACPP backend."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import ClassVar

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.backend import LocalBackend
from oumi.backends.local.llama_cpp.body import (
    decode,
    decode_answer,
    decode_json,
    encode,
    encode_for_template,
    translate,
)
from oumi.backends.local.llama_cpp.gguf_metadata import read_text
from oumi.backends.local.llama_cpp.params import SCHEDULING, check_kwargs
from oumi.backends.local.llama_cpp.runtime import Runtime
from oumi.backends.local.model_files import find_adapter, find_gguf
from oumi.backends.openai_stream import StreamAssembler
from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.forks import skip_native_exit
from oumi.core.types.completion import Completion, Delta
from oumi.errors import UnsupportedError
from oumi.runner.request import Request
from oumi.structured.sampler.grammar import check_guidance


class LlamaCppBackend(LocalBackend):
    """GGUF models on this machine; `oumi-tiny`, which ships with the package, by default.

    Requests share the model's slots (`model_kwargs["n_parallel"]`) by continuous batching.
    """

    scheduling: ClassVar[frozenset[str]] = SCHEDULING

    @classmethod
    def check_model(cls, model: ModelParams) -> None:
        """Raise ConfigError for what is wrong in `model_kwargs`."""
        check_kwargs(model)

    def _load(self) -> None:
        self.template = _try_template(self.config.model)
        self._runtime = Runtime(self.config.model)

    def after_fork(self) -> None:
        """The library ends a thread of its own, the parent's, with each model that is freed, and
        when the process exits.
        """
        super().after_fork()
        if not self._runtime.is_closed:
            Runtime.can_be_freed = False
            skip_native_exit()

    @property
    def asked(self) -> int:
        """How many requests llama.cpp was given so far."""
        return self._runtime.request_count

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        body = encode(request)
        try:
            reply = await self._runtime.complete(body)
        except RuntimeError as error:
            raise translate(error) from error
        return decode(reply, request)

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        joiner = StreamAssembler()
        try:
            async for chunk in self._runtime.stream(encode(request, stream=True)):
                piece = joiner.add(decode_json(chunk))
                if piece is not None:
                    yield piece
        except RuntimeError as error:
            raise translate(error) from error
        yield Delta(completion=decode_answer(joiner.choice, joiner.usage, request))

    async def render(self, request: Request) -> str:
        """The prompt of a request, as its chat template writes it."""
        reply = decode_json(await self._runtime.render(encode_for_template(request)))
        return str(reply["prompt"])

    def check_takes_images(self) -> None:
        """Raise UnsupportedError for a model without a projector."""
        if "mmproj" not in self.config.model.model_kwargs:
            raise UnsupportedError(
                "this model takes no images; a vision model also needs its projector: "
                "model.model_kwargs.mmproj"
            )

    def max_in_flight(self, config: InferenceConfig) -> int:
        """As many as there are slots, and as many waiting; or `batch_size` where it is set."""
        return config.generation.batch_size or self._runtime.threads

    def close(self) -> None:
        """Free the model, its memory and its threads."""
        self._runtime.close()

    def _model_files(self) -> Sequence[Path]:
        model = self.config.model
        adapter = [find_adapter(model.adapter_model)] if model.adapter_model else []
        return [find_gguf(model), *adapter]

    def check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with settings before anything is generated."""
        super().check(config)
        if config.generation.guided_decoding is not None:
            check_guidance(config.generation.guided_decoding)


def _try_template(model: ModelParams) -> ChatTemplate:
    if model.chat_template:
        return ChatTemplate.from_text(model.chat_template, model)
    if model.model_name == EMBEDDED_MODEL:
        return ChatTemplate()  # as tests see to
    return ChatTemplate.from_text(read_text(find_gguf(model), "tokenizer.chat_template"), model)
