"""Guided decoding by llguidance: which tokens a grammar allows next, for a whole batch at once.

https://github.com/guidance-ai/llguidance
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from llguidance import LLExecutor, LLMatcher
from llguidance.hf import from_tokenizer
from llguidance.torch import fill_next_token_bitmask_par

# A run has one grammar, or one for each set of tools; a server sees many over time. All are dropped
# at once when there are more, which costs no more than compiling some of them again.
_MAX_COMPILED = 64


class Guidance:
    """Compiles grammars for one tokenizer, each once, and masks the tokens they forbid."""

    def __init__(self, tokenizer: Any, vocabulary_size: int, end_ids: list[int]):
        """`vocabulary_size` is that of the model's logits, which may exceed the tokenizer's."""
        self._tokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary_size, eos_token=end_ids)
        self._executor = LLExecutor()
        self._compiled: dict[str, LLMatcher] = {}

    def matcher(self, grammar: str) -> LLMatcher:
        """A matcher at the start of a Lark grammar; it belongs to the caller."""
        if grammar not in self._compiled:
            if len(self._compiled) >= _MAX_COMPILED:
                self._compiled.clear()
            self._compiled[grammar] = LLMatcher(self._tokenizer, grammar)
        return self._compiled[grammar].deep_copy()

    def tokenize(self, text: str) -> list[int]:
        """Tokens that a matcher takes for a text which is part of the prompt."""
        ids: list[int] = self._tokenizer.tokenize_str(text)
        return ids

    def apply_mask(self, scores: torch.Tensor, matchers: Sequence[tuple[LLMatcher, int]]) -> None:
        """Set the scores of forbidden tokens to minus infinity, in place.

        `scores` has the shape (sequences, vocabulary); each matcher comes with the index of its
        sequence. Sequences without a matcher are left as they are.
        """
        words = (self._tokenizer.vocab_size + 31) // 32
        # -1 has all bits set, so that everything is allowed where no matcher fills the row.
        bits = torch.full((len(scores), words), -1, dtype=torch.int32)
        fill_next_token_bitmask_par(self._executor, list(matchers), bits)
        allowed = _unpack(bits.to(scores.device), scores.shape[1])
        scores.masked_fill_(~allowed, float("-inf"))


def _unpack(bits: torch.Tensor, size: int) -> torch.Tensor:
    """The first `size` bits of each row of 32-bit words, the lowest bit first, as booleans."""
    shifts = torch.arange(8, dtype=torch.uint8, device=bits.device)
    octets = bits.view(torch.uint8).unsqueeze(-1)
    return ((octets >> shifts) & 1).bool().flatten(1)[:, :size]
