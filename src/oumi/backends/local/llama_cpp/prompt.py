"""Prompts for llama.cpp, rendered here, so that it is clear which of their tokens are special."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oumi.backends.chat_templates.rendering import compile_template, render_prompt
from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.chat_template import template_arguments, template_messages
from oumi.backends.local.llama_cpp.gguf_metadata import SpecialVocabulary
from oumi.backends.local.llama_cpp.runtime import Runtime
from oumi.backends.local.reasoning import THINK_START, answer_start, opens_reasoning
from oumi.backends.local.special_tokens import SpecialTokens
from oumi.backends.local.truncation import shortened
from oumi.runner.raw_prompt import raw_prompt
from oumi.runner.request import Request

# How models mark a thought other than by `<think>`. llama.cpp has a parser for each of them.
_OTHER_THOUGHTS = (
    "<|channel|>",
    "[THINK]",
    "<|START_THINKING|>",
    "<seed:think>",
    "<|inner_prefix|>",
    "<|channel>thought",
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as llama.cpp takes it: a text, or a list of texts and of token ids.

    `begun` is the start of the answer that stands at its end, such as an open `<think>`.
    """

    content: str | Sequence[str | int]
    begun: str = ""


class PromptMaker:
    """Renders conversations by the model's chat template."""

    def __init__(
        self, text: str, template: ChatTemplate, vocabulary: SpecialVocabulary, runtime: Runtime
    ):
        self._text = text
        self._template = compile_template(text)
        self._takes_parts = template.takes_parts
        self._marks_calls = template.marks_calls
        self._names = {"bos_token": "", "eos_token": "", **vocabulary.named}
        self._special = SpecialTokens(vocabulary.texts)
        self._runtime = runtime
        # llama.cpp begins each prompt with it by itself: a template's own would be the second.
        begins = runtime.tokenize("", special=True, begins=True)
        self._added_text = self._names["bos_token"] if begins else ""

    def parses(self, *, tools: bool) -> bool:
        """Whether our own parsers know how answers of this model look."""
        if any(marker in self._text for marker in _OTHER_THOUGHTS):
            return False
        return self._marks_calls or not tools

    def holds_special_token(self, request: Request) -> str | None:
        """A special token that a message holds as text; None where it may be one, or none is."""
        if request.config.generation.allow_special_tokens:
            return None
        return self._special.find(template_messages(request.conversation))

    def opens_thought(self, request: Request) -> bool:
        """Whether the prompt ends inside of a thought. Raises as `make` does."""
        return opens_reasoning(self._render(request))

    async def make(self, request: Request) -> Prompt:
        """The prompt of a request, cut where that is asked for.

        Raises RequestError where the template refuses it.
        """
        if request.config.generation.truncate_prompt is None:
            return await self._make(request)
        return await self._make_fitting(request)

    async def _make_fitting(self, request: Request) -> Prompt:
        context = self._runtime.context_length
        while True:
            prompt = await self._make(request)
            tokens = await asyncio.to_thread(self.count, prompt)
            shorter = shortened(request, tokens, context)
            if shorter is None:
                return prompt
            request = shorter

    def count(self, prompt: Prompt) -> int:
        """How many tokens a prompt has. Blocks for about a millisecond."""
        if isinstance(prompt.content, str):
            return len(self._runtime.tokenize(prompt.content, special=True, begins=True))
        return sum(
            1 if isinstance(part, int) else len(self._runtime.tokenize(part, special=True))
            for part in prompt.content
        )

    async def _make(self, request: Request) -> Prompt:
        if (raw := raw_prompt(request)) is not None:
            return Prompt(raw)
        text = self._render(request)
        opens = opens_reasoning(text)
        start = answer_start(request.begun, opens=opens)
        begun = request.begun or (THINK_START if opens else "")
        pieces = self._special.split(text.removeprefix(self._added_text))
        starts = self._special.split(self._marked(start, request)) if start else []
        if len(pieces) == 1 and not starts:
            return Prompt(text.removeprefix(self._added_text), begun)
        return Prompt(await asyncio.to_thread(self._joined, pieces, starts), begun)

    def _render(self, request: Request) -> str:
        messages = template_messages(request.conversation, as_parts=self._takes_parts)
        variables = {**self._names, **template_arguments(request)}
        variables["tools"] = self._marked(variables["tools"], request)
        return render_prompt(self._template, self._marked(messages, request), variables)

    def _marked(self, value: Any, request: Request) -> Any:
        allowed = request.config.generation.allow_special_tokens
        return value if allowed else self._special.mark(value)

    def _joined(
        self, pieces: list[tuple[str, bool]], starts: list[tuple[str, bool]]
    ) -> list[str | int]:
        # llama.cpp takes a list for one prompt where it holds ids, and begins it where a text does.
        parts: list[str | int] = [] if pieces and not pieces[0][1] else [""]
        for text, is_text in pieces:
            parts += self._runtime.tokenize(text, special=False) if is_text else [text]
        for text, is_text in starts:
            parts += self._runtime.tokenize(text, special=not is_text)
        return parts
