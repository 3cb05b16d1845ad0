"""Token ids of an answer, read as text: whole, or piece by piece."""

from __future__ import annotations

from typing import Any

from oumi.backends.local.chat_template import THINK, to_completion
from oumi.backends.local.native.prompt import Prompt
from oumi.backends.local.streaming import TextStreamer
from oumi.backends.local.tool_calls import TOOL_CALL_END, forced_tools, offered_tools
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import FinishReason

# A token is a byte or more, but special ones may be left out of the text.
_SPARE_TOKENS = 8


class Reader:
    """How the ids of one answer are understood."""

    def __init__(self, prompt: Prompt, tokenizer: Any):
        request = prompt.request
        generation = request.config.generation
        tools = bool(offered_tools(request))
        self._prompt = prompt
        self._tokenizer = tokenizer
        self._skip = generation.skip_special_tokens
        self._stops = generation.stop_strings or []
        single = tools and not generation.parallel_tool_calls
        self._ends = [*self._stops, *([TOOL_CALL_END] if single else ())]
        self._tail = max((len(end.encode()) for end in self._ends), default=0) + _SPARE_TOKENS
        prompt_end = tokenizer.decode(prompt.ids[-_SPARE_TOKENS:]).rstrip()
        self._start = THINK if prompt_end.endswith(THINK) else ""
        self._shows = not forced_tools(request)
        self._pieces = TextStreamer(self._stops, tools=tools)

    def is_stopped(self, ids: list[int]) -> bool:
        """Whether the text, with its newest token, has come to its end."""
        if not self._ends:
            return False
        text = self._text(ids[-self._tail :])
        return any(end in text for end in self._ends)

    def whole(self, ids: list[int], reason: FinishReason, logprobs: list[Any]) -> Completion:
        """The answer."""
        text = self._text(ids)
        found = [at for at in map(text.find, self._stops) if at >= 0]
        request = self._prompt.request
        is_told = request.config.generation.logprobs is not None
        return to_completion(
            self._start + (text[: min(found)] if found else text),
            reason,
            Usage(len(self._prompt.ids), len(ids)),
            request,
            {"content": logprobs} if is_told else None,
        )

    def piece(self, ids: list[int]) -> Delta | None:
        """What nothing that follows can change."""
        return self._pieces.take(self._start + self._text(ids)) if self._shows else None

    def end(self, completion: Completion) -> list[Delta]:
        """What is left to show, and the answer."""
        return self._pieces.end(completion)

    def _text(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=self._skip)
        return text
