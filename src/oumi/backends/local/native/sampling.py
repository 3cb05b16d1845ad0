"""From the scores of a step to the next token of each row.

A row draws from a generator of its own, so that with a seed its answer does not depend on which
other rows share its batch.
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
)

from oumi.backends.local.native.loading import Loaded
from oumi.core.configs import GenerationParams
from oumi.errors import ConfigError

# Below 1 by more than float32 can round away, so that a draw never lies past the last token.
_BELOW_ONE = 1 - 2**-22

# Rows that differ in these share a sampler.
_NOT_OF_A_STEP = {"guided_decoding", "tool_choice", "batch_size", "max_new_tokens", "seed"}
_MOST_KNOWN = 256


@dataclass(slots=True)
class State:
    """What the next token of a row depends on besides the model's scores."""

    random: Random
    matcher: LLMatcher | None = None
    counts: Counter[int] = field(default_factory=Counter)

    def take(self, token: int) -> None:
        """Go on by a token."""
        self.counts[token] += 1
        if self.matcher is not None and not self.is_complete:
            self.matcher.consume_token(token)

    @property
    def is_complete(self) -> bool:
        """Whether the grammar allows nothing more."""
        return self.matcher is not None and self.matcher.is_stopped()

    def fork(self) -> State:
        """One that goes its own way from here."""
        matcher = None if self.matcher is None else self.matcher.deep_copy()
        return State(self.random, matcher, Counter(self.counts))


def make_random(seed: int | None, key: str) -> Random:
    """A generator for the row of this key; a fresh one without a seed."""
    return Random() if seed is None else Random(f"{seed}:{key}")  # noqa: S311  no secret


class Samplers:
    """The samplers of a model, one for each set of settings."""

    def __init__(self, loaded: Loaded):
        self._loaded = loaded
        self._known: dict[str, Sampler] = {}

    def get(self, generation: GenerationParams) -> Sampler:
        """The sampler of these settings. Raises ConfigError."""
        name = generation.model_dump_json(exclude=_NOT_OF_A_STEP)
        if name not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[name] = Sampler(generation, self._loaded)
        return self._known[name]


class Sampler:
    """Sampling settings, for all rows that share them. Scores are of shape (rows, tokens)."""

    def __init__(self, generation: GenerationParams, loaded: Loaded):
        self._generation = generation
        self._loaded = loaded
        self._bias = _bias(generation, loaded.tokenizer)
        self._warpers = LogitsProcessorList(_warpers(generation))

    def pick(self, states: Sequence[State], scores: torch.Tensor) -> list[int]:
        """The next token of each row. `scores` is changed."""
        self.shape(states, scores)
        if self._generation.temperature == 0:
            return scores.argmax(-1).tolist()  # type: ignore[no-any-return]
        return _draw(self._warpers(None, scores), [state.random.random() for state in states])

    def shape(self, states: Sequence[State], scores: torch.Tensor) -> None:
        """Lay bias, penalties and grammars over the scores, which are changed."""
        if self._bias:
            values = torch.tensor(list(self._bias.values()), dtype=scores.dtype)
            scores[:, list(self._bias)] += values.to(scores.device)
        if self._generation.frequency_penalty or self._generation.presence_penalty:
            self._penalise(states, scores)
        matchers = [(s.matcher, row) for row, s in enumerate(states) if s.matcher is not None]
        if matchers:
            self._loaded.guidance.mask(scores, matchers)

    def _penalise(self, states: Sequence[State], scores: torch.Tensor) -> None:
        """As the OpenAI API defines it, over the answer so far."""
        seen = [(row, token, n) for row, s in enumerate(states) for token, n in s.counts.items()]
        if seen:
            rows, tokens, counts = torch.tensor(seen, device=scores.device).unbind(1)
            weight = self._generation.frequency_penalty
            scores[rows, tokens] -= weight * counts + self._generation.presence_penalty

    def tell(
        self, scores: torch.Tensor, rows: list[int], tokens: list[int]
    ) -> Sequence[dict[str, Any] | None]:
        """The log-probabilities of tokens and of the likeliest ones, where they are asked for.

        They are those of the model, before any setting. Form:
        https://platform.openai.com/docs/api-reference/chat/object
        """
        count = self._generation.logprobs
        if count is None:
            return [None] * len(rows)
        logs = scores[rows].float().log_softmax(-1)
        own = logs.gather(1, torch.tensor(tokens, device=logs.device)[:, None])[:, 0].tolist()
        best, ids = (part.tolist() for part in logs.topk(count))
        return [
            {**self._entry(token, log), "top_logprobs": list(map(self._entry, row_ids, row_logs))}
            for token, log, row_ids, row_logs in zip(tokens, own, ids, best, strict=True)
        ]

    def _entry(self, token: int, log: float) -> dict[str, Any]:
        return {"token": self._loaded.decoder.decode([token]), "logprob": log}


def _bias(generation: GenerationParams, tokenizer: Any) -> dict[int, float]:
    """The bias of each token id, a text standing for all its tokens. Raises ConfigError."""
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
    warpers: list[Any] = []
    if generation.temperature > 0:
        warpers.append(TemperatureLogitsWarper(generation.temperature))
    if generation.top_k is not None:
        warpers.append(TopKLogitsWarper(generation.top_k))
    if generation.top_p is not None and generation.top_p < 1:
        warpers.append(TopPLogitsWarper(generation.top_p))
    if generation.min_p > 0:
        warpers.append(MinPLogitsWarper(generation.min_p))
    return warpers


def _draw(scores: torch.Tensor, draws: list[float]) -> list[int]:
    """The token of each row at which the sum of probabilities passes its draw from [0, 1)."""
    sums = scores.softmax(-1).cumsum(-1)
    places = torch.tensor(draws, dtype=torch.float64) * _BELOW_ONE
    wanted = places.to(sums.dtype).to(sums.device)[:, None] * sums[:, -1:]
    return torch.searchsorted(sums, wanted, right=True)[:, 0].tolist()  # type: ignore[no-any-return]
