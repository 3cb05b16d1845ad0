"""The VLLM backend."""

from __future__ import annotations

import atexit
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Any, ClassVar

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.backend import LocalBackend
from oumi.backends.local.chat_template import opens_thought
from oumi.backends.local.continuation import with_form_of_rest
from oumi.backends.local.room import room_of
from oumi.backends.local.special_tokens import find_special_tokens
from oumi.backends.local.tool_calls import TOOL_CALL_START, forced_tools, offered_tools
from oumi.backends.local.tool_grammar import calls_grammar, forced_list
from oumi.backends.local.vllm.arguments import (
    SCHEDULING,
    check_kwargs,
    structured_outputs_config,
)
from oumi.backends.local.vllm.output import GeneratedText, OutputParser, TextOutputParser
from oumi.backends.local.vllm.parsing import check_parsers, make_parser
from oumi.backends.local.vllm.prompt import render
from oumi.backends.local.vllm.runtime import start
from oumi.backends.local.vllm.sampling import sampling_params
from oumi.backends.local.vllm.settings import GUIDANCE
from oumi.core.configs import ModelParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.embedding import Embeddings
from oumi.core.types.usage import sum_of
from oumi.core.waiting import all_of
from oumi.errors import OumiError, RequestError, UnsupportedError
from oumi.runner import loop
from oumi.runner.embedding_request import EmbeddingRequest
from oumi.runner.request import Request
from oumi.structured.sampler.grammar import check_guidance


class VLLMBackend(LocalBackend):
    """vLLM in a process of its own; its scheduler batches whatever is in flight."""

    scheduling: ClassVar[frozenset[str]] = SCHEDULING

    @classmethod
    def check_model(cls, model: ModelParams) -> None:
        """Raise ConfigError for what vLLM would not take."""
        check_kwargs(model)

    def _load(self) -> None:
        model = self.config.model
        check_parsers(model)
        self._grammar_backend = structured_outputs_config(model).backend
        if model.chat_template:
            self.template = ChatTemplate.from_text(model.chat_template, model)
        self._runtime = loop.call(start(model))
        # vLLM's process has to be ended while its code can still run.
        atexit.register(self.close)
        if not model.chat_template:
            self._try_own_template(model)

        found = find_special_tokens(self._runtime.tokenizer).find(TOOL_CALL_START)
        self.template = replace(self.template, has_call_token=found is not None)

    def _try_own_template(self, model: ModelParams) -> None:
        if not self._runtime.renders_jinja:
            return
        is_needed = self.config.generation.apply_chat_template and not self._runtime.embeds
        text = self._runtime.own_template
        try:
            self.template = ChatTemplate.from_text(text, model, may_be_missing=not is_needed)
        except OumiError:
            self.close()
            raise

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        generated, parser, outputs = await self._generate(request, stream=False)
        async for output in outputs:
            generated.append(output)
        return parser.completion(generated)

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        generated, parser, outputs = await self._generate(request, stream=True)
        async for output in outputs:
            generated.append(output)
            delta = parser.delta(generated)
            if delta is not None:
                yield delta
        for delta in parser.last_deltas(generated):
            yield delta

    def adapted(self, request: Request) -> Request:
        """The request as the model's chat template can render it. Raises RequestError for a model
        that was loaded to embed.
        """
        if self._runtime.embeds:
            name = self.config.model.model_name
            raise RequestError(f"{name} is loaded to embed: it generates no text", ends_run=True)
        return super().adapted(request)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """The vectors of texts."""
        dimensions = request.config.embedding.dimensions
        found = await all_of(self._runtime.embed(text, dimensions) for text in request.texts)
        vectors = [vector for one in found for vector in one.vectors]
        return Embeddings(vectors, sum_of(one.usage for one in found))

    async def opens_thought(self, request: Request) -> bool:
        """Whether the prompt ends inside of a thought that vLLM does not know of.

        With a reasoning parser it keeps to a form from the end of the thought on by itself.
        """
        if self.config.model.model_kwargs.get("reasoning_parser"):
            return False
        return opens_thought(request, self._runtime.tokenizer, self.template)

    async def render(self, request: Request) -> str:
        """The prompt of a request: the text of its tokens, as vLLM's renderer makes them."""
        prompt, _ = await render(request, self._runtime)
        text: str = self._runtime.tokenizer.decode(prompt["prompt_token_ids"])
        return text

    async def count_tokens(self, request: Request) -> int:
        """How many tokens the prompt of a request has."""
        prompt, _ = await render(request, self._runtime)
        return len(prompt["prompt_token_ids"])

    def check_takes_images(self) -> None:
        """Raise UnsupportedError for a model of text alone."""
        processor = self._runtime.renderer.mm_processor
        if processor is None or "image" not in processor.info.supported_mm_limits:
            raise UnsupportedError(f"{self._runtime.model.model} takes no images")

    def why_no_embeddings(self) -> str | None:
        """That the model was loaded to generate text."""
        if self._runtime.embeds:
            return None
        name = self.config.model.model_name
        return f"{name} generates text here: to embed, set model.model_kwargs.runner to pooling"

    def max_in_flight(self, config: InferenceConfig) -> int:
        """Twice what vLLM works on at once, so that its scheduler always has a choice."""
        return config.generation.batch_size or 2 * self._runtime.max_num_seqs

    def close(self) -> None:
        """End vLLM's process and free its memory."""
        atexit.unregister(self.close)
        self._runtime.close()

    async def _generate(
        self, request: Request, *, stream: bool
    ) -> tuple[GeneratedText, OutputParser, AsyncIterator[Any]]:
        prompt, begun = await render(request, self._runtime)
        generated = GeneratedText(prompt["prompt_token_ids"], self._runtime.token_bytes)
        vllm_parser = make_parser(request, self._runtime)
        parser = vllm_parser or TextOutputParser(request, begun)
        tools = bool(offered_tools(request))
        params = sampling_params(
            with_form_of_rest(request),
            stream=stream,
            # A parser of vLLM's looks for calls of another form.
            calls=self._calls(request) if forced_tools(request) or vllm_parser is None else None,
            room=room_of(request),
            backend=self._grammar_backend,
            # The markers of a tool call are special tokens of some models.
            keep_special_tokens=vllm_parser.needs_special_tokens if vllm_parser else tools,
        )
        outputs = self._runtime.generate(prompt, params, request.config.generation.adapter)
        return generated, parser, outputs

    def _calls(self, request: Request) -> str | dict[str, Any] | None:
        if self._grammar_backend != GUIDANCE:  # others know no grammar with a schema in it
            return forced_list(request)
        return calls_grammar(request, marked=self.template.marks_calls)

    def check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with settings before anything is generated."""
        super().check(config)
        sampling_params(config.generation)
        # Another grammar backend refuses by itself what it cannot keep.
        is_guidance = structured_outputs_config(config.model).backend == GUIDANCE
        if config.generation.guided_decoding is not None and is_guidance:
            check_guidance(config.generation.guided_decoding)
