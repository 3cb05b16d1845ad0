"""What vLLM generates for one request, parsed into deltas and a completion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from oumi.backends.local.chat_template import may_hold_thought, to_completion
from oumi.backends.local.streaming import TextStreamer
from oumi.backends.local.token_bytes import TokenBytes
from oumi.backends.local.tool_calls import forced_tools, offered_tools
from oumi.backends.openai_reply import decode_finish_reason
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import FinishReason
from oumi.runner.request import Request


@dataclass
class GeneratedText:
    """The text and token ids generated so far; `new_text` and `new_ids` came with the last output.

    vLLM cuts stop strings off by itself.
    """

    prompt_ids: list[int]
    token_bytes: TokenBytes
    text: str = ""
    ids: list[int] = field(default_factory=list)
    new_text: str = ""
    new_ids: list[int] = field(default_factory=list)
    finish_reason: FinishReason = FinishReason.UNKNOWN
    _logprobs: list[Any] = field(default_factory=list)

    def append(self, output: Any) -> None:
        """Add an output of vLLM: what is new since the one before, or everything at once."""
        self.new_text, self.new_ids = output.text, list(output.token_ids)
        self.text += self.new_text
        self.ids += self.new_ids
        self.finish_reason = decode_finish_reason(output.finish_reason)
        self._logprobs += output.logprobs or ()

    @property
    def usage(self) -> Usage:
        """Tokens of the prompt, and those generated so far."""
        return Usage(len(self.prompt_ids), len(self.ids))

    def logprobs(self, top: int | None) -> dict[str, Any] | None:
        """Of each token and of the `top` likeliest ones at its place, as the OpenAI API has them.

        None for `top` None. https://platform.openai.com/docs/api-reference/chat/object
        """
        if top is None:
            return None
        return {"content": [self._token_logprobs(step, top) for step in self._logprobs]}

    def _token_logprobs(self, step: dict[int, Any], top: int) -> dict[str, Any]:
        """One token's entry. vLLM maps ids to log-probabilities, the sampled token's first."""
        (sampled, first), ranked = next(iter(step.items())), sorted(step.items(), key=_rank)
        # The sampled token is there even if it is not among the likeliest.
        likeliest = [self._entry(token, one) for token, one in ranked if one.rank <= top]
        return {**self._entry(sampled, first), "top_logprobs": likeliest}

    def _entry(self, token: int, logprob: Any) -> dict[str, Any]:
        text, as_bytes = logprob.decoded_token, self.token_bytes.of(token)
        return {"token": text, "bytes": as_bytes, "logprob": logprob.logprob}


class OutputParser(Protocol):
    """Makes deltas and the completion of one request out of what was generated."""

    def completion(self, generated: GeneratedText) -> Completion:
        """The completion, once everything is generated."""
        ...

    def delta(self, generated: GeneratedText) -> Delta | None:
        """What can be sent after a new output; None if nothing."""
        ...

    def last_deltas(self, generated: GeneratedText) -> list[Delta]:
        """What was held back, if anything, and the delta that carries the completion."""
        ...


class TextOutputParser:
    """Finds reasoning and tool calls by the markers that most models write.

    `begun` is the start of the answer that stands at the end of the prompt.
    """

    def __init__(self, request: Request, begun: str = ""):
        self._request = request
        self._prefix = begun
        self._streamer = TextStreamer(
            [], tools=bool(offered_tools(request)), thoughts=may_hold_thought(request)
        )
        if request.begun:  # the caller knows it
            self._streamer.update(request.begun)
        # Forced tool calls are JSON that is no content, so nothing of it is streamed.
        self._streams_text = not forced_tools(request)

    def completion(self, generated: GeneratedText) -> Completion:
        """The completion, once everything is generated."""
        return to_completion(
            self._prefix + generated.text,
            generated.finish_reason,
            generated.usage,
            self._request,
            generated.logprobs(self._request.config.generation.logprobs),
        )

    def delta(self, generated: GeneratedText) -> Delta | None:
        """What can be sent after a new output; None if nothing."""
        return self._streamer.update(self._prefix + generated.text) if self._streams_text else None

    def last_deltas(self, generated: GeneratedText) -> list[Delta]:
        """What was held back, if anything, and the delta that carries the completion."""
        return self._streamer.finish(self.completion(generated))


def _rank(entry: tuple[int, Any]) -> int:
    rank: int = entry[1].rank
    return rank
