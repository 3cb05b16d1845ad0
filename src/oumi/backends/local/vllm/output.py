"""What vLLM writes, read as an answer: whole, or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from oumi.backends.local.chat_template import THINK, to_completion
from oumi.backends.local.streaming import TextStreamer
from oumi.backends.local.tool_calls import forced_tools, offered_tools
from oumi.backends.openai_chat import decode_finish_reason
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import FinishReason
from oumi.runner.request import Request


@dataclass
class Written:
    """What was written so far to continue a prompt, `new_text` and `new_ids` of it just now."""

    prompt: list[int]
    text: str = ""
    ids: list[int] = field(default_factory=list)
    new_text: str = ""
    new_ids: list[int] = field(default_factory=list)
    reason: FinishReason = FinishReason.UNKNOWN
    _logprobs: list[Any] = field(default_factory=list)

    def add(self, output: Any) -> None:
        """Go on by what vLLM gave."""
        self.new_text, self.new_ids = output.text, list(output.token_ids)
        self.text += self.new_text
        self.ids += self.new_ids
        self.reason = decode_finish_reason(output.finish_reason)
        self._logprobs += output.logprobs or ()

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        return Usage(len(self.prompt), len(self.ids))

    def logprobs(self, likeliest: int | None) -> dict[str, Any] | None:
        """In the form of the OpenAI API: of each token, and of the likeliest ones at its place."""
        if likeliest is None:
            return None
        return {"content": [_logprobs_at(step, likeliest) for step in self._logprobs]}


class Reader(Protocol):
    """How the text of one answer is understood."""

    def whole(self, written: Written) -> Completion:
        """The answer."""
        ...

    def piece(self, written: Written) -> Delta | None:
        """What can be shown, now that something new was written."""
        ...

    def end(self, written: Written) -> list[Delta]:
        """What is left to show, and the answer."""
        ...


class TextReader:
    """Takes thoughts and calls out of the text by the marks that most models write.

    `thinking` says that the prompt ends with the mark of a thought.
    """

    def __init__(self, request: Request, *, thinking: bool):
        self._request = request
        self._start = THINK if thinking else ""
        self._pieces = TextStreamer([], tools=bool(offered_tools(request)))
        self._shows = not forced_tools(request)

    def whole(self, written: Written) -> Completion:
        """The answer."""
        return to_completion(
            self._start + written.text,
            written.reason,
            written.usage,
            self._request,
            written.logprobs(self._request.config.generation.logprobs),
        )

    def piece(self, written: Written) -> Delta | None:
        """What nothing that follows can change."""
        return self._pieces.take(self._start + written.text) if self._shows else None

    def end(self, written: Written) -> list[Delta]:
        """What is left to show, and the answer."""
        return self._pieces.end(self.whole(written))


def _logprobs_at(step: Any, likeliest: int) -> dict[str, Any]:
    told = [
        {"token": one.decoded_token, "logprob": one.logprob, "rank": one.rank}
        for one in step.values()
    ]
    ranked = sorted((one for one in told if one["rank"] <= likeliest), key=lambda one: one["rank"])
    # vLLM names the token that was taken first.
    return {**_without_rank(told[0]), "top_logprobs": [_without_rank(one) for one in ranked]}


def _without_rank(told: dict[str, Any]) -> dict[str, Any]:
    return {"token": told["token"], "logprob": told["logprob"]}
