"""Sampling: from the logits of a step to the next token of each sequence.

Each sequence draws from a random generator of its own. So with a seed its answer does not depend on
which other sequences share its batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import torch
from llguidance import LLMatcher
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from oumi.backends.local.native.loading import LoadedModel
from oumi.core.configs import GenerationParams
from oumi.errors import ConfigError

# Draws are scaled by this. Rounded to float32, a draw close to 1 would become 1, and no token's
# cumulative probability is above that. It lies four float32 steps (2**-24) below 1.
_LARGEST_DRAW = 1 - 2**-22

# Settings that belong to a sequence, not to its sampler: sequences that differ only in these are
# sampled together.
_NOT_SAMPLER_SETTINGS = {"guided_decoding", "tool_choice", "batch_size", "max_new_tokens", "seed"}

# A sampler is small; the limit is there for servers, where each request has settings of its own.
_MAX_CACHED_SAMPLERS = 256


@dataclass(slots=True)
class SamplingState:
    """What the next token of one sequence depends on besides the model's logits.

    `counts` is how often each token was generated; `matcher` follows the grammar, if there is one.
    """

    random: Random
    matcher: LLMatcher | None = None
    counts: Counter[int] = field(default_factory=Counter)
    prompt_ids: frozenset[int] = frozenset()
    """The tokens of the prompt, where the repetition penalty needs them."""

    def append(self, token: int) -> None:
        """Count a generated token and advance the grammar by it."""
        self.counts[token] += 1
        if self.matcher is not None and not self.is_grammar_complete:
            self.matcher.consume_token(token)

    @property
    def is_grammar_complete(self) -> bool:
        """Whether there is a grammar and it allows no further token."""
        return self.matcher is not None and self.matcher.is_stopped()

    @property
    def grammar_error(self) -> str:
        """Why the grammar holds no longer, such as a limit of its parser; empty while it does."""
        return "" if self.matcher is None else self.matcher.get_error()

    def fork(self) -> SamplingState:
        """A copy that can take other tokens. Both share the random generator."""
        matcher = None if self.matcher is None else self.matcher.deep_copy()
        return SamplingState(self.random, matcher, Counter(self.counts), self.prompt_ids)


def make_random(seed: int | None, key: str) -> Random:
    """A random generator for the request of this key: the same each time if there is a seed."""
    return Random() if seed is None else Random(f"{seed}:{key}")  # noqa: S311  no secret


class SamplerCache:
    """The samplers of a model, one for each set of settings in use."""

    def __init__(self, model: LoadedModel):
        self._model = model
        self._samplers: dict[str, Sampler] = {}

    def get(self, generation: GenerationParams) -> Sampler:
        """The sampler of these settings. Raises ConfigError for a bias of unknown tokens."""
        key = generation.model_dump_json(exclude=_NOT_SAMPLER_SETTINGS)
        if key not in self._samplers:
            if len(self._samplers) >= _MAX_CACHED_SAMPLERS:
                self._samplers.clear()
            self._samplers[key] = Sampler(generation, self._model)
        return self._samplers[key]


class Sampler:
    """Samples for all sequences that share its settings.

    Scores and logits are tensors of shape (sequences, vocabulary).
    """

    def __init__(self, generation: GenerationParams, model: LoadedModel):
        self._generation = generation
        self._model = model
        self._bias = _token_bias(generation, model.tokenizer)
        self._bytes = model.token_bytes
        self._end_ids = [*model.end_ids, *(generation.stop_token_ids or ())]
        self._warpers = LogitsProcessorList(_warpers(generation))

    def sample(self, states: Sequence[SamplingState], scores: torch.Tensor) -> list[int]:
        """The next token of each sequence. Changes `scores`."""
        self.adjust_scores(states, scores)
        if self._generation.temperature == 0:
            return scores.argmax(-1).tolist()  # type: ignore[no-any-return]
        return _draw(self._warpers(None, scores), [state.random.random() for state in states])

    def adjust_scores(self, states: Sequence[SamplingState], scores: torch.Tensor) -> None:
        """Apply bias, penalties and grammars to the scores, in place."""
        if self._bias:
            values = torch.tensor(list(self._bias.values()), dtype=scores.dtype)
            scores[:, list(self._bias)] += values.to(scores.device)
        if self._generation.frequency_penalty or self._generation.presence_penalty:
            self._apply_penalties(states, scores)
        if self._generation.repetition_penalty != 1:
            self._apply_repetition_penalty(states, scores)
        self._forbid_early_ends(states, scores)
        matchers = [(s.matcher, index) for index, s in enumerate(states) if s.matcher is not None]
        if matchers:
            self._model.guidance.apply_mask(scores, matchers)

    def _apply_penalties(self, states: Sequence[SamplingState], scores: torch.Tensor) -> None:
        """Lower the scores of tokens that the answer already holds, by OpenAI's formula:

        `score -= count * frequency_penalty + (count > 0) * presence_penalty`
        """
        seen = [(row, token, n) for row, s in enumerate(states) for token, n in s.counts.items()]
        if seen:
            rows, tokens, counts = torch.tensor(seen, device=scores.device).unbind(1)
            weight = self._generation.frequency_penalty
            scores[rows, tokens] -= weight * counts + self._generation.presence_penalty

    def _apply_repetition_penalty(
        self, states: Sequence[SamplingState], scores: torch.Tensor
    ) -> None:
        """Lower the scores of tokens that prompt or answer hold: https://arxiv.org/abs/1909.05858"""
        penalty = self._generation.repetition_penalty
        for row, state in enumerate(states):
            seen = sorted(state.prompt_ids | state.counts.keys())
            values = scores[row, seen]
            scores[row, seen] = torch.where(values > 0, values / penalty, values * penalty)

    def _forbid_early_ends(self, states: Sequence[SamplingState], scores: torch.Tensor) -> None:
        """Leave answers that are shorter than `min_tokens` no token that would end them."""
        least = self._generation.min_tokens
        for row, state in enumerate(states):
            if state.matcher is None and state.counts.total() < least:
                scores[row, self._end_ids] = float("-inf")

    def logprobs(
        self, logits: torch.Tensor, indices: list[int], tokens: list[int]
    ) -> Sequence[dict[str, Any] | None]:
        """Log-probabilities of the sampled tokens and of the likeliest ones; None if not wanted.

        `indices` are the rows of `logits` that the tokens belong to. They are the model's own
        probabilities, before any setting. Form:
        https://platform.openai.com/docs/api-reference/chat/object
        """
        count = self._generation.logprobs
        if count is None:
            return [None] * len(indices)
        logs = logits[indices].float().log_softmax(-1)
        sampled = logs.gather(1, torch.tensor(tokens, device=logs.device)[:, None])[:, 0].tolist()
        top, top_ids = (part.tolist() for part in logs.topk(count))
        return [
            {**self._entry(token, log), "top_logprobs": list(map(self._entry, row_ids, row_logs))}
            for token, log, row_ids, row_logs in zip(tokens, sampled, top_ids, top, strict=True)
        ]

    def _entry(self, token: int, log: float) -> dict[str, Any]:
        text = self._model.decoding_tokenizer.decode([token])
        return {"token": text, "bytes": self._bytes.of(token), "logprob": log}


def _token_bias(generation: GenerationParams, tokenizer: Any) -> dict[int, float]:
    """The bias by token id; a text stands for all tokens it consists of. Raises ConfigError."""
    bias: dict[int, float] = {}
    size = len(tokenizer)
    for token, value in generation.logit_bias.items():
        text = str(token)
        is_id = text.isdigit()
        ids = [int(text)] if is_id else tokenizer.encode(text, add_special_tokens=False)
        if not all(0 <= i < size for i in ids):
            raise ConfigError(f"generation.logit_bias: no token {token!r}; there are {size:,}")
        bias.update(dict.fromkeys(ids, value))
    return bias


def _warpers(generation: GenerationParams) -> list[Any]:
    """In the order in which Transformers' `generate` applies them."""
    warpers: list[Any] = []
    if generation.temperature > 0:
        warpers.append(TemperatureLogitsWarper(generation.temperature))
    if generation.top_k is not None:
        warpers.append(TopKLogitsWarper(generation.top_k))
    if generation.top_p is not None and generation.top_p < 1:
        warpers.append(TopPLogitsWarper(generation.top_p))
    if generation.typical_p is not None and generation.typical_p < 1:
        warpers.append(TypicalLogitsWarper(generation.typical_p))
    if generation.min_p > 0:
        warpers.append(MinPLogitsWarper(generation.min_p))
    return warpers


def _draw(scores: torch.Tensor, draws: list[float]) -> list[int]:
    """One token for each row: the first whose cumulative probability is above the row's draw.

    The draws are numbers from [0, 1).
    """
    sums = scores.softmax(-1).cumsum(-1)
    scaled = torch.tensor(draws, dtype=torch.float64) * _LARGEST_DRAW
    # The last sum is 1 but for rounding, so draws are taken as shares of it.
    thresholds = scaled.to(sums.dtype).to(sums.device)[:, None] * sums[:, -1:]
    # `right=True` finds a sum above the threshold, not equal to it: a token of probability 0 adds
    # nothing to the sum before it, and is never drawn.
    return torch.searchsorted(sums, thresholds, right=True)[:, 0].tolist()  # type: ignore[no-any-return]
