"""Token counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Usage(NamedTuple):
    """Token counts of one or more requests.

    Tokens that were read from a cache or written to one are included in the prompt tokens,
    reasoning tokens in the completion tokens.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_creation_tokens: int = 0
    """Written to the provider's cache, where that is counted apart."""

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:  # type: ignore[override]  # counts, not a sequence
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_creation_tokens + other.cache_creation_tokens,
        )

    def to_dict(self) -> dict[str, int]:
        """As JSON-ready values; those of a cache and of reasoning only where there are any."""
        prompt, completion, cached, reasoning, written = self
        counts = {"prompt_tokens": prompt, "completion_tokens": completion}
        if cached:
            counts["cached_tokens"] = cached
        if written:
            counts["cache_creation_tokens"] = written
        if reasoning:
            counts["reasoning_tokens"] = reasoning
        counts["total_tokens"] = prompt + completion
        return counts

    @classmethod
    def from_dict(cls, data: Mapping[str, int]) -> Usage:
        """The reverse of `to_dict`."""
        return cls(
            data["prompt_tokens"],
            data["completion_tokens"],
            data.get("cached_tokens", 0),
            data.get("reasoning_tokens", 0),
            data.get("cache_creation_tokens", 0),
        )


def sum_of(usages: Iterable[Usage]) -> Usage:
    """All token counts together."""
    return Usage(*map(sum, zip(*usages, strict=True)))
