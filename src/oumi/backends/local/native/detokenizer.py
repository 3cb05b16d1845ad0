"""Generated token ids to text: deltas while they come, the completion at the end."""

from __future__ import annotations

from typing import Any

from oumi.backends.local.chat_template import may_hold_thought, to_completion
from oumi.backends.local.native.prompt import Prompt
from oumi.backends.local.streaming import INCOMPLETE_CHARACTER, TextStreamer
from oumi.backends.local.tool_calls import TOOL_CALL_END, forced_tools, offered_tools
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import FinishReason

# Added to the number of tokens searched for a stop string. Each token is at least one byte of text,
# but special tokens among them may be left out of it.
_EXTRA_SEARCH_TOKENS = 8


class Detokenizer:
    """Decodes the tokens of one answer. Each method takes all ids generated so far."""

    def __init__(self, prompt: Prompt, tokenizer: Any):
        request = prompt.request
        generation = request.config.generation
        tools = bool(offered_tools(request))
        self._prompt = prompt
        self._tokenizer = tokenizer
        self._skip_special_tokens = generation.skip_special_tokens
        self._stop_strings = generation.stop_strings or []
        # Where one tool call is wanted, the end of the first ends the answer.
        single_call = tools and not generation.parallel_tool_calls
        self._end_strings = [*self._stop_strings, *([TOOL_CALL_END] if single_call else ())]
        longest = max((len(end.encode()) for end in self._end_strings), default=0)
        self._search_tokens = longest + _EXTRA_SEARCH_TOKENS
        self._prefix = prompt.begun
        # Forced tool calls are JSON that is no content, so nothing of it is streamed.
        self._streams_text = not forced_tools(request)
        self._streamer = TextStreamer(
            self._stop_strings, tools=tools, thoughts=may_hold_thought(request)
        )
        if request.begun:  # the caller knows it
            self._streamer.update(request.begun)

    def has_stopped(self, ids: list[int]) -> bool:
        """Whether the text, with its newest token, holds a string that ends it."""
        if not self._end_strings:
            return False
        # Only the newest tokens: an earlier stop string would have been found before.
        text = self._decode(ids[-self._search_tokens :])
        return any(end in text for end in self._end_strings)

    def completion(self, ids: list[int], reason: FinishReason, logprobs: list[Any]) -> Completion:
        """The whole answer, cut before the first stop string."""
        text = self._decode(ids)
        if reason is FinishReason.LENGTH:  # which may be in the middle of a character
            text = text.rstrip(INCOMPLETE_CHARACTER)
        found = [at for at in map(text.find, self._stop_strings) if at >= 0]
        request = self._prompt.request
        wants_logprobs = request.config.generation.logprobs is not None
        return to_completion(
            self._prefix + (text[: min(found)] if found else text),
            reason,
            Usage(len(self._prompt.ids), len(ids)),
            request,
            {"content": logprobs} if wants_logprobs else None,
        )

    def delta(self, ids: list[int]) -> Delta | None:
        """What can be sent now; None if nothing."""
        if not self._streams_text:
            return None
        return self._streamer.update(self._prefix + self._decode(ids))

    def last_deltas(self, completion: Completion) -> list[Delta]:
        """What was held back, if anything, and the delta that carries the completion."""
        return self._streamer.finish(completion)

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=self._skip_special_tokens)
        return text
