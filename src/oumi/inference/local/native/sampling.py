"""Sampling settings as logits processors, a row at a time.

Sampling is done by the last processor: Gumbel noise is added to the scores, after which the
largest one is a sample of their distribution (https://arxiv.org/abs/1411.0030, section 2). Each
row draws its noise from a generator of its own, so that with a seed a row's answer does not
depend on which other rows share its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.torch import (
    allocate_token_bitmask,
    apply_token_bitmask_inplace,
    fill_next_token_bitmask,
)
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from oumi.core.configs import GenerationParams


def make_processors(
    generation: GenerationParams,
    keys: Sequence[str],
    prompt_length: int,
    bias: dict[int, float],
    constraint: Constraint | None,
) -> LogitsProcessorList:
    """What the scores of a batch go through; `keys` tell its rows apart."""
    processors: list[Any] = []
    if bias:
        processors.append(_Bias(bias))
    if generation.frequency_penalty or generation.presence_penalty:
        processors.append(_Penalties(generation, prompt_length))
    if constraint is not None:
        processors.append(constraint)
    if generation.temperature > 0:
        processors.append(TemperatureLogitsWarper(generation.temperature))
        processors += _warpers(generation)
        processors.append(_Noise(generation.seed, keys))
    return LogitsProcessorList(processors)


def _warpers(generation: GenerationParams) -> list[Any]:
    warpers: list[Any] = []
    if generation.top_k is not None:
        warpers.append(TopKLogitsWarper(generation.top_k))
    if generation.top_p is not None and generation.top_p < 1:
        warpers.append(TopPLogitsWarper(generation.top_p))
    if generation.min_p > 0:
        warpers.append(MinPLogitsWarper(generation.min_p))
    return warpers


class Constraint(LogitsProcessor):  # type: ignore[misc]
    """Leaves only the tokens that a grammar allows; a matcher a row."""

    def __init__(self, tokenizer: LLTokenizer, grammar: str, rows: int, prompt_length: int):
        self._matchers = [LLMatcher(tokenizer, grammar) for _ in range(rows)]
        self._mask = allocate_token_bitmask(rows, tokenizer.vocab_size)
        self._done = prompt_length

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Take the tokens since the last call in, and mask the scores of the next one."""
        fresh = ids[:, self._done :].tolist()
        self._done = ids.shape[1]
        for row, matcher in enumerate(self._matchers):
            if fresh[row] and not matcher.is_stopped():
                matcher.consume_tokens(fresh[row])
            fill_next_token_bitmask(matcher, self._mask, row)
        apply_token_bitmask_inplace(scores, self._mask.to(scores.device))
        return scores


class _Bias(LogitsProcessor):  # type: ignore[misc]
    def __init__(self, bias: dict[int, float]):
        self._ids = list(bias)
        self._values = torch.tensor(list(bias.values()))

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores[:, self._ids] += self._values.to(scores.device, scores.dtype)
        return scores


class _Penalties(LogitsProcessor):  # type: ignore[misc]
    """Presence and frequency penalties over the answer, as the OpenAI API defines them."""

    def __init__(self, generation: GenerationParams, prompt_length: int):
        self._frequency = generation.frequency_penalty
        self._presence = generation.presence_penalty
        self._prompt_length = prompt_length

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        answer = ids[:, self._prompt_length :]
        counts = torch.zeros_like(scores).scatter_add_(
            1, answer, torch.ones_like(answer, dtype=scores.dtype)
        )
        return scores - self._frequency * counts - self._presence * (counts > 0)


class _Noise(LogitsProcessor):  # type: ignore[misc]
    def __init__(self, seed: int | None, keys: Sequence[str]):
        self._generators = [torch.Generator() for _ in keys]
        for generator, key in zip(self._generators, keys, strict=True):
            if seed is None:
                generator.seed()
            else:
                generator.manual_seed((seed ^ int(key[:15], 16)) & (2**63 - 1))

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        size = scores.shape[1]
        noise = torch.stack([torch.rand(size, generator=g) for g in self._generators])
        gumbel = -torch.log(-torch.log(noise.clamp_(1e-20, 1 - 1e-7)))
        return scores + gumbel.to(scores.device, scores.dtype)
