"""What tokens cost, from the published prices that genai-prices collects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

from oumi.core.configs.price_params import PriceParams
from oumi.core.types.usage import Usage, sum_of

_SAMPLE_TOKENS = 1000
_MILLION = 1_000_000
_SUMMED_AT_ONCE = 100  # takes fewer steps than one after the other


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per token; None where the price of a model is not known."""

    model: str
    input: float | None = None
    cached: float | None = None
    output: float | None = None
    cache_write: float | None = None
    """Of prompt tokens that are written to a cache; None where they cost like all others."""

    def times(self, share: float) -> Price:
        """A share of this price."""
        return Price(
            self.model,
            self.input and self.input * share,
            self.cached and self.cached * share,
            self.output and self.output * share,
            self.cache_write and self.cache_write * share,
        )

    @property
    def is_known(self) -> bool:
        """Whether a price is published."""
        return None not in (self.input, self.cached, self.output)

    def at_least(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Dollars for these tokens, whatever of the prompt was read from a cache."""
        cheapest = min(self.input or 0.0, self.cached or 0.0)
        return prompt_tokens * cheapest + completion_tokens * (self.output or 0.0)

    def at_most(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Dollars for these tokens, whatever a cache has to do with the prompt."""
        dearest = max(self.input or 0.0, self.cached or 0.0, self.cache_write or 0.0)
        return prompt_tokens * dearest + completion_tokens * (self.output or 0.0)

    def cost(self, usage: Usage) -> float | None:
        """Dollars for these tokens, at the prices for requests of ordinary length."""
        if self.input is None or self.cached is None or self.output is None:
            return None
        written = usage.cache_creation_tokens
        fresh = max(usage.prompt_tokens - usage.cached_tokens - written, 0)
        return (
            fresh * self.input
            + usage.cached_tokens * self.cached
            + written * (self.input if self.cache_write is None else self.cache_write)
            + usage.completion_tokens * self.output
        )


def cost_of(usage: Usage, price: Price | None) -> float:
    """Dollars for these tokens; nothing where they cost nothing, or nobody knows what."""
    return 0.0 if price is None else price.cost(usage) or 0.0


def no_price(price: Price) -> str:
    """Why a cost is not known."""
    return f"no price is published for {price.model}"


def given_price(params: PriceParams | None, model: str) -> Price | None:
    """The price that the settings give; None where they give none."""
    if params is None:
        return None
    cached = params.cached_per_million
    cached = params.input_per_million if cached is None else cached
    return Price(
        model,
        params.input_per_million / _MILLION,
        cached / _MILLION,
        params.output_per_million / _MILLION,
    )


class PaidTokens:
    """Tokens, kept apart by the share of the ordinary price that was paid for them."""

    def __init__(self) -> None:
        self._by_share: defaultdict[float, list[Usage]] = defaultdict(list)

    def add(self, usage: Usage, share: float = 1.0) -> None:
        """Count further tokens; negative ones take back what was counted."""
        usages = self._by_share[share]
        usages.append(usage)
        if len(usages) == _SUMMED_AT_ONCE:
            usages[:] = [sum_of(usages)]

    @property
    def total(self) -> Usage:
        """All of them."""
        return sum_of(chain.from_iterable(self._by_share.values()))

    def cost(self, price: Price) -> float | None:
        """Dollars for all of them; None where the price is not known."""
        costs = [
            price.times(share).cost(sum_of(usages)) for share, usages in self._by_share.items()
        ]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None


@cache  # rows with settings of their own ask again and again
def find_price(model: str, provider: str) -> Price:
    """The price of a model at a provider, which may list it without the maker before its name."""
    found = _find(model, provider)
    if found is None and "/" in model:
        found = _find(model.rpartition("/")[2], provider)
    return Price(model) if found is None else replace(found, model=model)


def _find(model: str, provider: str) -> Price | None:
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    def per_token(tokens: Tokens) -> float:
        return float(calc_price(tokens, model, provider_id=provider).total_price) / _SAMPLE_TOKENS

    try:
        return Price(
            model,
            per_token(Tokens(input_tokens=_SAMPLE_TOKENS)),
            per_token(Tokens(input_tokens=_SAMPLE_TOKENS, cache_read_tokens=_SAMPLE_TOKENS)),
            per_token(Tokens(output_tokens=_SAMPLE_TOKENS)),
            per_token(Tokens(input_tokens=_SAMPLE_TOKENS, cache_write_tokens=_SAMPLE_TOKENS)),
        )
    except LookupError:
        return None
