"""The tokens that rows are expected to take, by those of earlier answers where there are enough."""

from __future__ import annotations

import math

from oumi.core.types.completion import Usage
from oumi.core.types.estimate import Range
from oumi.data.source import NO_PREFIX, Row
from oumi.runner.cost import Price
from oumi.runner.prompt_tokens import PromptTokens
from oumi.runner.request import Request

FEWEST_ANSWERS = 10
"""Answers by which a range is narrowed: fewer say little of how much they differ."""

_STANDARD_ERRORS = 3
"""Standard errors on either side of the mean: they hold it in 99 of 100 cases from 20 answers on,
unless a few are far longer than all others."""

_CACHED_TOKENS = 1_024
"""No API caches shorter prompts (https://platform.openai.com/docs/guides/prompt-caching,
https://platform.claude.com/docs/en/build-with-claude/prompt-caching)."""


class Answers:
    """What answers took, beside what was estimated of their prompts."""

    def __init__(self) -> None:
        self.count = 0
        self._ratios: list[float] = [math.inf, 0.0]  # of prompts to their estimate
        self._mean = self._squares = 0.0  # of the answers' tokens, by Welford's algorithm

    def add(self, prompt: PromptTokens, usage: Usage) -> None:
        """Count an answer; where a row had several, with the usage of all of them."""
        self.count += 1
        ratio = usage.prompt_tokens / max(prompt.high, 1)
        self._ratios = [min(self._ratios[0], ratio), max(self._ratios[1], ratio)]
        before = usage.completion_tokens - self._mean
        self._mean += before / self.count
        self._squares += before * (usage.completion_tokens - self._mean)

    @property
    def prompt_ratios(self) -> Range:
        """The least and the largest share of its estimate that a prompt had."""
        return Range(*self._ratios)

    def completion_tokens(self, rows: int) -> Range:
        """Tokens of the answers to further rows of the kind."""
        deviation = math.sqrt(self._squares / (self.count - 1))
        error = _STANDARD_ERRORS * deviation * math.sqrt(1 / self.count + 1 / max(rows, 1))
        return Range(max(self._mean - error, 0.0) * rows, (self._mean + error) * rows)


class ExpectedTokens:
    """Of all rows that are to be asked. Prompts are told apart by what a cache may do to their
    price.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._fresh = self._cacheable = self._plain = self._written = 0.0
        self._completion = Range(0, 0)

    def add(self, row: Row, request: Request, prompt: PromptTokens) -> None:
        """Add a row."""
        self.rows += 1
        generation, completion = request.config.generation, self._completion
        if prompt.high >= _CACHED_TOKENS:
            self._cacheable += prompt.low
        else:
            self._fresh += prompt.low
        if row.shared == NO_PREFIX:
            self._plain += prompt.high
        else:
            self._written += prompt.high
        self._completion = Range(
            completion.low + min(generation.min_tokens, generation.max_new_tokens),
            completion.high + generation.max_new_tokens,
        )

    @property
    def prompt(self) -> Range:
        """Tokens of all prompts."""
        return Range(self._fresh + self._cacheable, self._plain + self._written)

    @property
    def completion(self) -> Range:
        """Tokens of all answers."""
        return self._completion

    def narrow(self, answers: Answers, *, may_repair: bool) -> None:
        """Take rows to be like those that have an answer. Where answers may be repaired, a row may
        take more tokens than one answer can have.
        """
        ratios, prompt = answers.prompt_ratios, self.prompt
        scale = ratios.low * prompt.high / max(prompt.low, 1)
        self._fresh, self._cacheable = self._fresh * scale, self._cacheable * scale
        self._plain, self._written = self._plain * ratios.high, self._written * ratios.high
        found, most = answers.completion_tokens(self.rows), self._completion.high
        if not may_repair:
            found = Range(min(found.low, most), min(found.high, most))
        self._completion = found

    def cost(self, price: Price) -> Range:
        """Dollars."""
        fresh, cached = self._fresh * (price.input or 0.0), self._cacheable
        plain, written = self._plain * (price.input or 0.0), self._written
        return Range(
            fresh + price.at_least(cached, self._completion.low),
            plain + price.at_most(written, self._completion.high),
        )
