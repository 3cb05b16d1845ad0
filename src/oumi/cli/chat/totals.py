"""What a chat has used up."""

from __future__ import annotations

from oumi.core.types.completion import Usage
from oumi.progress.formatting import format_dollars
from oumi.runner.cost import Price


class Totals:
    """Answers, tokens and dollars so far. An answer that was stopped is not counted by its API."""

    def __init__(self) -> None:
        self.answers = 0
        self.usage = Usage()
        self._dollars = 0.0
        self._has_price = False
        self._has_unknown = False

    def add(self, usage: Usage, price: Price | None) -> None:
        """Count an answer. `price` is None where answers cost nothing."""
        self.answers += 1
        self.usage += usage
        if price is None:
            return
        dollars = price.cost(usage)
        self._has_price = True
        self._has_unknown |= dollars is None
        self._dollars += dollars or 0.0

    def __str__(self) -> str:
        """In one line, such as `12 tokens in, 30 out, $0.0004`."""
        tokens = f"{self.usage.prompt_tokens:,} tokens in, {self.usage.completion_tokens:,} out"
        if not self._has_price:
            return tokens
        if self._has_unknown:
            return f"{tokens}, cost unknown"
        return f"{tokens}, {format_dollars(self._dollars)}"
