"""One answer in the making."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from oumi.backends.local.native.detokenizer import Reader
from oumi.backends.local.native.loading import Loaded
from oumi.backends.local.native.prompt import Prompt
from oumi.backends.local.native.sampling import Sampler, State, make_random
from oumi.backends.local.tool_calls import forced_schema
from oumi.core.configs import GuidedDecodingParams
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import FinishReason
from oumi.runner.request import Request
from oumi.structured.schema.grammar import to_lark


@dataclass(eq=False)
class Row:
    """A prompt, its answer so far, and who waits for it.

    `limit` is in tokens; `ends` are the ids that end the answer. `show` is handed each piece that
    can be shown, in the thread that owns the model.
    """

    prompt: Prompt
    sampler: Sampler
    state: State
    reader: Reader
    limit: int
    ends: frozenset[int]
    show: Callable[[Delta], None] | None = None
    future: Future[Completion] = field(default_factory=Future)
    ids: list[int] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    reason: FinishReason | None = None

    @property
    def is_done(self) -> bool:
        """Whether no more tokens are wanted."""
        return self.reason is not None or self.future.cancelled()

    def take(self, token: int, told: Any = None) -> None:
        """Take in the next token and what is told of its probability."""
        if token in self.ends:
            self.reason = FinishReason.STOP
            return
        self.ids.append(token)
        self.state.take(token)
        if told is not None:
            self.logprobs.append(told)
        if self.state.is_complete or self.reader.is_stopped(self.ids):
            self.reason = FinishReason.STOP
        elif len(self.ids) >= self.limit:
            self.reason = FinishReason.LENGTH
        elif self.show is not None and (piece := self.reader.piece(self.ids)):
            self.show(piece)

    def finish(self) -> None:
        """Hand the answer to who waits for it."""
        if not self.future.set_running_or_notify_cancel():
            return
        reason = self.reason or FinishReason.LENGTH
        completion = self.reader.whole(self.ids, reason, self.logprobs)
        if self.show is not None:
            for piece in self.reader.end(completion):
                self.show(piece)
        self.future.set_result(completion)


def make_row(
    loaded: Loaded,
    prompt: Prompt,
    sampler: Sampler,
    show: Callable[[Delta], None] | None = None,
) -> Row:
    """A row at its beginning. Raises UnsupportedError for a grammar that cannot be kept."""
    generation = prompt.request.config.generation
    lark = _grammar(prompt.request)
    matcher = loaded.guidance.matcher(lark) if lark else None
    return Row(
        prompt,
        sampler,
        State(make_random(generation.seed, prompt.request.key), matcher),
        Reader(prompt, loaded.decoder),
        limit=min(generation.max_new_tokens, loaded.context - len(prompt.ids)),
        ends=frozenset([*loaded.ends, *(generation.stop_token_ids or ())]),
        show=show,
    )


def _grammar(request: Request) -> str | None:
    schema = forced_schema(request)
    guided = request.config.generation.guided_decoding
    if schema is not None:
        guided = GuidedDecodingParams(json=schema)
    return None if guided is None else to_lark(guided)
