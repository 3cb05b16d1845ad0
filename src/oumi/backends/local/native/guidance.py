"""Guided decoding by llguidance: which tokens a grammar allows next, for a whole batch at once.

https://github.com/guidance-ai/llguidance
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from llguidance import LLExecutor, LLMatcher
from llguidance.hf import from_tokenizer
from llguidance.torch import fill_next_token_bitmask_par

# llguidance's pool takes four fifths of the cores. On two cores that is one thread, which is no
# faster than the worker's own, and on a busy machine has to wait for a core in each step.
_CORES_FOR_POOL = 3

# A run has one grammar, or one for each set of tools; a server sees many over time. All are dropped
# at once when there are more, which costs no more than compiling some of them again.
_MAX_COMPILED = 64


class Guidance:
    """Compiles grammars for one tokenizer, each once, and masks the tokens they forbid."""

    def __init__(self, tokenizer: Any, vocabulary_size: int, end_ids: list[int]):
        """`vocabulary_size` is that of the model's logits, which may exceed the tokenizer's."""
        self._tokenizer = from_tokenizer(tokenizer, n_vocab=vocabulary_size, eos_token=end_ids)
        self._pool = LLExecutor() if torch.get_num_threads() >= _CORES_FOR_POOL else None
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
        self._fill(bits, matchers)
        forbidden = _forbidden(bits.to(scores.device))[:, : scores.shape[1]]
        scores.masked_fill_(forbidden, float("-inf"))

    def _fill(self, bits: torch.Tensor, matchers: Sequence[tuple[LLMatcher, int]]) -> None:
        if self._pool is not None:
            fill_next_token_bitmask_par(self._pool, list(matchers), bits)
            return
        start, row_bytes = bits.data_ptr(), bits.stride(0) * bits.element_size()
        for matcher, row in matchers:
            matcher.unsafe_compute_mask_ptr(start + row * row_bytes, row_bytes)


def _forbidden(bits: torch.Tensor) -> torch.Tensor:
    """Where a bit is not set in rows of 32-bit words, the lowest bit first: (rows, bits)."""
    octets = bits.view(torch.uint8).int()
    # Looked up, since shifting each bit out takes several passes over all of them.
    spread = _cleared_bits(bits.device).index_select(0, octets.flatten())
    return spread.view(torch.bool).view(len(bits), -1)


@cache
def _cleared_bits(device: torch.device) -> torch.Tensor:
    """For each octet its eight bits inverted, as booleans that share one 64-bit word."""
    bits = torch.arange(256)[:, None] >> torch.arange(8) & 1
    return (bits == 0).view(torch.int64)[:, 0].to(device)
