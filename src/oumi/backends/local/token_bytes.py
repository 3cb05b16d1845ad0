"""The bytes of tokens, which may be a part of a character alone."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from llguidance import LLTokenizer
from llguidance.hf import from_tokenizer


class TokenBytes:
    """Finds the bytes of the tokens of a Transformers tokenizer."""

    def __init__(self, tokenizer: Any):
        self._source = tokenizer

    @cached_property
    def _tokenizer(self) -> LLTokenizer:  # it takes a moment to make
        return from_tokenizer(self._source)

    def of(self, token: int) -> list[int]:
        """The bytes of a token, as the OpenAI API gives them beside its text."""
        return list(self._tokenizer.decode_bytes([token]))
