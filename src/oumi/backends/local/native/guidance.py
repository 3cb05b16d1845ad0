"""Grammars by llguidance: which tokens may come next, for all rows of a step at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from llguidance import LLExecutor, LLMatcher
from llguidance.hf import from_tokenizer
from llguidance.torch import fill_next_token_bitmask_par

_MOST_COMPILED = 64


class Guidance:
    """Grammars compiled for one tokenizer, each once."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: list[int]):
        """`vocabulary` is the number of scores that the model gives."""
        self._tokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=ends)
        self._executor = LLExecutor()
        self._compiled: dict[str, LLMatcher] = {}

    def matcher(self, lark: str) -> LLMatcher:
        """A matcher at the start of the grammar."""
        if lark not in self._compiled:
            if len(self._compiled) >= _MOST_COMPILED:
                self._compiled.clear()
            self._compiled[lark] = LLMatcher(self._tokenizer, lark)
        return self._compiled[lark].deep_copy()

    def mask(self, scores: torch.Tensor, matchers: Sequence[tuple[LLMatcher, int]]) -> None:
        """Take the tokens out that a row's grammar does not allow. `scores` is changed."""
        words = (self._tokenizer.vocab_size + 31) // 32
        bits = torch.full((len(scores), words), -1, dtype=torch.int32)
        fill_next_token_bitmask_par(self._executor, list(matchers), bits)
        scores.masked_fill_(~_unpack(bits.to(scores.device), scores.shape[1]), float("-inf"))


def _unpack(bits: torch.Tensor, size: int) -> torch.Tensor:
    """Words of 32 bits, the lowest first, as one boolean a bit."""
    places = torch.arange(8, dtype=torch.uint8, device=bits.device)
    octets = bits.view(torch.uint8).unsqueeze(-1)
    return ((octets >> places) & 1).bool().flatten(1)[:, :size]
