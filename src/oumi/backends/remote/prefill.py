"""The message that an answer continues, of which some APIs repeat the text."""

from __future__ import annotations

from dataclasses import replace

from oumi.backends.provider import PrefillForm, Provider
from oumi.core.types.completion import Completion, Delta
from oumi.runner.prefill import prefill_of, with_prefill
from oumi.runner.request import Request


class Prefill:
    """Makes one message of what one request continues and what the API has added to it."""

    def __init__(self, request: Request, provider: Provider):
        self._text = prefill_of(request.conversation, request.config.generation)
        self._is_repeated = provider.prefill is PrefillForm.PREFIX and bool(self._text)
        self._held = ""
        self._is_past = not self._is_repeated

    def whole(self, completion: Completion) -> Completion:
        """The completion with the whole message."""
        if self._text is None:
            return completion
        content = completion.message.content
        if self._is_repeated and isinstance(content, str):
            added = {"content": self._without_start(content)}
            message = completion.message.model_copy(update=added)
            completion = completion._replace(message=message)
        return with_prefill(completion, self._text)

    def piece(self, delta: Delta) -> Delta:
        """A streamed piece of what was added; held back while it may be a repetition."""
        if delta.completion is not None:
            delta = replace(delta, completion=self.whole(delta.completion))
        if self._is_past or not delta.content:
            return delta
        self._held += delta.content
        if (self._text or "").startswith(self._held):
            return replace(delta, content="")
        self._is_past = True
        return replace(delta, content=self._without_start(self._held))

    def _without_start(self, text: str) -> str:
        # White space at its end may be left out: models seldom go on well after it.
        start = self._text or ""
        return text.removeprefix(start if text.startswith(start) else start.rstrip())
