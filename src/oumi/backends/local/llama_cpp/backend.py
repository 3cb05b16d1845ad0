"""The LLAMACPP backend."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.adapters import adapters_of
from oumi.backends.local.backend import LocalBackend
from oumi.backends.local.llama_cpp import body, completing, embedding
from oumi.backends.local.llama_cpp.embedding import makes_embeddings
from oumi.backends.local.llama_cpp.gguf_header import part_paths, read_header
from oumi.backends.local.llama_cpp.gguf_metadata import read_special_tokens, read_text
from oumi.backends.local.llama_cpp.params import SCHEDULING, check_kwargs
from oumi.backends.local.llama_cpp.prompt import Prompt, PromptMaker
from oumi.backends.local.llama_cpp.runtime import Runtime
from oumi.backends.local.model_files import find_adapter, find_gguf
from oumi.backends.local.special_tokens import forged_beside_images
from oumi.backends.local.tool_calls import TOOL_CALL_START, forced_tools, offered_tools
from oumi.backends.media.images import has_images
from oumi.backends.openai_stream import StreamAssembler
from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.forks import fresh_thread, skip_native_exit
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.embedding import Embeddings
from oumi.errors import ConfigError, EngineError, RequestError, UnsupportedError
from oumi.runner.embedding_request import EmbeddingRequest
from oumi.runner.request import Request
from oumi.structured.sampler.grammar import check_guidance

# llama.cpp's seeds are of 32 bits, and the last one stands for a random one.
_SEEDS = 2**32 - 1


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
        model, path = self.config.model, find_gguf(self.config.model)
        header = read_header(path)
        part_paths(header)  # a file that is cut off or in parts, before it is read
        self._embeds_only = makes_embeddings(header)
        text = model.chat_template or read_text(path, "tokenizer.chat_template")
        self.template = _try_template(text, model)
        self._runtime = Runtime(model, embeds=self._embeds_only)
        self._embedding_runtime = self._runtime if self._embeds_only else None
        self._embedding_lock = threading.Lock()
        vocabulary = read_special_tokens(path)
        has_call_token = TOOL_CALL_START in vocabulary.texts
        self.template = replace(self.template, has_call_token=has_call_token)
        self._prompts = PromptMaker(text or "", self.template, vocabulary, self._runtime)

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
        prompt = await self._prompt(request)
        try:
            if prompt is None:
                reply = await self._runtime.complete(body.encode(request), chat=True)
                return body.decode(reply, request)
            content = completing.encode(request, prompt, self.template)
            reply = await self._runtime.complete(content, chat=False)
            return completing.decode(reply, request, prompt)
        except RuntimeError as error:
            raise body.translate(error) from error

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        prompt = await self._prompt(request)
        deltas = self._stream_chat(request) if prompt is None else self._stream(request, prompt)
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    yield delta
        except RuntimeError as error:
            raise body.translate(error) from error

    async def _stream(self, request: Request, prompt: Prompt) -> AsyncGenerator[Delta]:
        answer = completing.Answer(request, prompt)
        content = completing.encode(request, prompt, self.template, stream=True)
        async with aclosing(self._runtime.stream(content, chat=False)) as chunks:
            async for chunk in chunks:
                delta = answer.add(chunk)
                if delta is not None:
                    yield delta
        for delta in answer.last_deltas():
            yield delta

    async def _stream_chat(self, request: Request) -> AsyncGenerator[Delta]:
        joiner = StreamAssembler(streams_calls=False)
        content = body.encode(request, stream=True)
        async with aclosing(self._runtime.stream(content, chat=True)) as chunks:
            async for chunk in chunks:
                delta = joiner.add(body.decode_json(chunk))
                if delta is not None:
                    yield delta
        yield Delta(completion=body.decode_answer(joiner.choice, joiner.usage, request))

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """The vectors of texts. A model for text is loaded again for the first ones: its weights
        are mapped from the same file, so that what it takes is the context.
        """
        runtime = await asyncio.to_thread(self._open_embedding_runtime)
        try:
            reply = await runtime.embed(embedding.encode(request))
        except RuntimeError as error:
            raise body.translate(error) from error
        return embedding.decode(reply, request)

    def _open_embedding_runtime(self) -> Runtime:
        with self._embedding_lock:
            if self._embedding_runtime is None:
                if self._runtime.is_closed:
                    raise EngineError("the engine is closed")
                model = self.config.model
                self._embedding_runtime = fresh_thread(lambda: Runtime(model, embeds=True))
            return self._embedding_runtime

    async def _prompt(self, request: Request) -> Prompt | None:
        """The prompt of a request; None where llama.cpp makes it, from a conversation.

        It does so for images, and for the tools and the thoughts of models that mark them in a way
        of their own, which it can parse. Raises RequestError for a model of embeddings.
        """
        if self._embeds_only:
            raise RequestError(f"{self.config.model.model_name} makes embeddings, and no text")
        special = self._prompts.holds_special_token(request)
        if has_images(request.conversation):
            _check_images(request, special)
            return None
        if self._prompts.parses(tools=bool(offered_tools(request))):
            return await self._prompts.make(request)
        needs_prompt = request.begun or special or forced_tools(request)
        return await self._prompts.make(request) if needs_prompt else None

    async def opens_thought(self, request: Request) -> bool:
        """Whether the prompt ends inside of a thought."""
        return self._prompts.opens_thought(request)

    async def render(self, request: Request) -> str:
        """The prompt of a request, as its chat template writes it."""
        reply = body.decode_json(await self._runtime.render(body.encode_for_template(request)))
        return str(reply["prompt"])

    async def count_tokens(self, request: Request) -> int:
        """How many tokens the prompt of a request has. Raises UnsupportedError for one with images,
        which llama.cpp makes itself.
        """
        if has_images(request.conversation):
            raise UnsupportedError("LLAMACPP counts no tokens of a conversation with images")
        prompt = await self._prompt(request) or Prompt(await self.render(request))
        return await asyncio.to_thread(self._prompts.count, prompt)

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
        with self._embedding_lock:
            if self._embedding_runtime is not None:
                self._embedding_runtime.close()

    def _model_files(self) -> Sequence[Path]:
        model = self.config.model
        return [*part_paths(read_header(find_gguf(model))), *map(find_adapter, adapters_of(model))]

    def check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with settings before anything is generated."""
        super().check(config)
        seed = config.generation.seed
        if seed is not None and not 0 <= seed < _SEEDS:
            raise ConfigError(f"generation.seed: LLAMACPP takes 0 to {_SEEDS - 1:,}, not {seed:,}")
        if config.generation.guided_decoding is not None:
            check_guidance(config.generation.guided_decoding)


def _try_template(text: str | None, model: ModelParams) -> ChatTemplate:
    if model.model_name == EMBEDDED_MODEL and not model.chat_template:
        return ChatTemplate(text=text or "")  # as tests see to
    return ChatTemplate.from_text(text, model)


def _check_images(request: Request, special: str | None) -> None:
    """Raise RequestError for what llama.cpp cannot be told of a prompt with images."""
    if request.begun:
        raise RequestError("LLAMACPP cannot go on from a text in a conversation with images")
    if special is not None:
        raise forged_beside_images(special, "LLAMACPP")
