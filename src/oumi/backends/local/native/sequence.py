"""One request while its answer is generated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from oumi.backends.local.continuation import begun_form
from oumi.backends.local.native.detokenizer import Detokenizer
from oumi.backends.local.native.loading import LoadedModel
from oumi.backends.local.native.prompt import Prompt
from oumi.backends.local.native.sampling import Sampler, SamplingState, make_random
from oumi.backends.local.room import room_of
from oumi.backends.local.tool_grammar import calls_grammar
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import FinishReason
from oumi.errors import RequestError
from oumi.runner.request import Request
from oumi.structured.sampler.grammar import to_lark


@dataclass(eq=False)
class Sequence:
    """A prompt, the tokens generated for it so far, and the future of its completion.

    `ids` are the generated tokens, at most `max_new_tokens`; any of `end_ids` ends the answer.
    `on_delta` is called in the worker's thread with each delta of a streamed answer.
    """

    prompt: Prompt
    sampler: Sampler
    state: SamplingState
    detokenizer: Detokenizer
    max_new_tokens: int
    end_ids: frozenset[int]
    on_delta: Callable[[Delta], None] | None = None
    future: Future[Completion] = field(default_factory=Future)
    ids: list[int] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    finish_reason: FinishReason | None = None

    @property
    def is_done(self) -> bool:
        """Whether no more tokens are wanted: it is finished, or nobody waits for it any more."""
        return self.finish_reason is not None or self.future.cancelled()

    def append(self, token: int, logprobs: Any = None) -> None:
        """Add a generated token, and its log-probabilities where they are wanted."""
        if token in self.end_ids:
            self.finish_reason = FinishReason.STOP
            return
        self.ids.append(token)
        self.state.append(token)
        if logprobs is not None:
            self.logprobs.append(logprobs)
        if self.state.grammar_error:
            self._fail(RequestError(f"the grammar stopped working: {self.state.grammar_error}"))
        elif self.state.is_grammar_complete or self.detokenizer.has_stopped(self.ids):
            self.finish_reason = FinishReason.STOP
        elif len(self.ids) >= self.max_new_tokens:
            self.finish_reason = FinishReason.LENGTH
        elif self.on_delta is not None and (delta := self.detokenizer.delta(self.ids)):
            self.on_delta(delta)

    def _fail(self, error: RequestError) -> None:
        self.finish_reason = FinishReason.ERROR
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)

    def resolve(self) -> None:
        """Set the future's result, unless it was cancelled; a stream gets its last deltas first."""
        if not self.future.set_running_or_notify_cancel():
            return
        reason = self.finish_reason or FinishReason.LENGTH
        completion = self.detokenizer.completion(self.ids, reason, self.logprobs)
        if self.on_delta is not None:
            for delta in self.detokenizer.last_deltas(completion):
                self.on_delta(delta)
        self.future.set_result(completion)


def make_sequence(
    model: LoadedModel,
    prompt: Prompt,
    sampler: Sampler,
    on_delta: Callable[[Delta], None] | None = None,
) -> Sequence:
    """A sequence without tokens. Raises UnsupportedError for an unsupported grammar."""
    generation = prompt.request.config.generation
    grammar = _grammar(prompt.request, model)
    matcher = model.guidance.matcher(grammar) if grammar else None
    if matcher is not None and (start := begun_form(prompt.request)):
        matcher.consume_tokens(model.guidance.tokenize(start))
    return Sequence(
        prompt,
        sampler,
        SamplingState(
            make_random(generation.seed, prompt.request.key),
            matcher,
            prompt_ids=frozenset(prompt.ids if generation.repetition_penalty != 1 else ()),
        ),
        Detokenizer(prompt, model.decoding_tokenizer),
        max_new_tokens=min(generation.max_new_tokens, model.context_length - len(prompt.ids)),
        end_ids=frozenset([*model.end_ids, *(generation.stop_token_ids or ())]),
        on_delta=on_delta,
    )


def _grammar(request: Request, model: LoadedModel) -> str | None:
    """The Lark grammar of forced tool calls or of `guided_decoding`; None without either."""
    calls = calls_grammar(request, marked=model.template.marks_calls)
    guided = request.config.generation.guided_decoding
    if calls is not None or guided is None:
        return calls
    return to_lark(guided, room_of(request))
