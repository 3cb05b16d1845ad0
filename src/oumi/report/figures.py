"""The figures of a run, from its rows, in memory that does not grow with them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

from oumi.core.growing_bins import GrowingBins
from oumi.core.types.completion import Usage
from oumi.report.failure_groups import FailureGroups
from oumi.report.properties import Properties
from oumi.report.row import ReportRow, RowStatus
from oumi.runner.cost import PaidTokens, Price
from oumi.runner.stats import Histogram

_QUANTILES = (0.5, 0.9, 0.99)
_SHORTEST_S = 0.25
"""The width that the bins of time begin with: no chart shows more of a short run."""


class Moment:
    """What was recorded within one stretch of time."""

    def __init__(self) -> None:
        self.done = self.failed = self.tokens = 0
        self.cost = 0.0
        self.latency, self.first_token = Histogram(), Histogram()

    def merge(self, other: Self) -> None:
        """Take over what another one holds."""
        self.done += other.done
        self.failed += other.failed
        self.tokens += other.tokens
        self.cost += other.cost
        self.latency.merge(other.latency)
        self.first_token.merge(other.first_token)

    def to_list(self) -> list[float]:
        """Done, failed, tokens of answers, cost, and in seconds the quantiles of latency and of the
        time to the first token.
        """
        times = (self.latency, self.first_token)
        quantiles = [time.quantile(share) for time in times for share in _QUANTILES]
        return [self.done, self.failed, self.tokens, self.cost, *quantiles]


class Figures:
    """Updated with each row."""

    def __init__(self, price: Price | None):
        self._price = price
        self._rows = 0
        self._statuses: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._usage = Usage()
        self._paid = PaidTokens()
        self._known_cost = 0.0
        self._has_cost = False
        self._failures = FailureGroups()
        self._properties = Properties()
        self._latency, self._first_token, self._waited = Histogram(), Histogram(), Histogram()
        self._prompt, self._completion, self._lengths = Histogram(), Histogram(), Histogram()
        self._times: GrowingBins[Moment] = GrowingBins(Moment, _SHORTEST_S)

    def add(self, row: ReportRow, value: Any, times: int = 1) -> str | None:
        """Count a row, whose answer is `value` if it is JSON. Returns the group of its failure.
        -1 times takes back a row that was counted and has another record since.
        """
        self._rows += times
        self._statuses[row.status] += times
        cost = self.cost_of(row)
        if row.usage is not None:
            self._add_tokens(row, row.usage, times)
        if cost is not None:
            self._known_cost += times * cost
            self._has_cost = True
        self._add_time(row, cost, times)
        if row.failure is not None:
            return self._failures.add(row.index, row.failure, times)
        self._reasons[str(row.metadata.get("finish_reason", "not known"))] += times
        if row.answer is not None:
            self._lengths.add(len(row.answer), times)
            self._properties.add(row.answer, value, times)
        return None

    def failure_group(self, row: ReportRow) -> str | None:
        """The group of a row's failure; None where it did not fail."""
        return None if row.failure is None else self._failures.name_of(row.failure)

    def cost_of(self, row: ReportRow) -> float | None:
        """Dollars for the tokens of a row; None where that is not known."""
        if (known := row.record.get("cost_usd")) is not None:
            return float(known)
        if self._price is None or row.usage is None:
            return None
        return self._price.times(row.price_share).cost(row.usage)

    def _add_tokens(self, row: ReportRow, usage: Usage, times: int) -> None:
        counted = Usage(*(times * count for count in usage))
        self._usage += counted
        self._paid.add(counted, row.price_share)
        if row.status != RowStatus.FAILED:
            self._prompt.add(usage.prompt_tokens, times)
            self._completion.add(usage.completion_tokens, times)

    def _add_time(self, row: ReportRow, cost: float | None, times: int) -> None:
        record = row.record
        # A latency of 0: nothing was asked, as the answer is that of an earlier run.
        latency, at = record.get("latency_s") or None, record.get("recorded_at")
        first_token = record.get("first_token_s")
        if latency is not None and row.failure is None:
            self._latency.add(latency, times)
            self._first_token.add(first_token, times)
            self._waited.add(record.get("waited_s"), times)
        if at is None:
            return
        moment = self._times.at(at)
        moment.cost += times * (cost or 0.0)
        moment.tokens += times * row.usage.completion_tokens if row.usage else 0
        if row.failure is not None:
            moment.failed += times
            return
        moment.done += times
        moment.latency.add(latency, times)
        moment.first_token.add(first_token, times)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, times in seconds."""
        return {
            "rows": self._rows,
            "statuses": _counted(self._statuses),
            "finish_reasons": _counted(self._reasons),
            "usage": self._usage.to_dict(),
            "cost_usd": self._cost(),
            "failures": self._failures.to_list(),
            "latency_s": _distribution(self._latency),
            "first_token_s": _distribution(self._first_token),
            "waited_s": _distribution(self._waited),
            "prompt_tokens": _distribution(self._prompt),
            "completion_tokens": _distribution(self._completion),
            "answer_characters": _distribution(self._lengths),
            "over_time": {
                "width_s": self._times.width,
                "bins": [[at, *moment.to_list()] for at, moment in self._times.items()],
            },
            "properties": self._properties.to_dict(),
        }

    def _cost(self) -> float | None:
        if self._price is not None:  # from the sum, as `run.json` has it
            cost = self._paid.cost(self._price)
            return None if cost is None else round(cost, 6)
        return round(self._known_cost, 6) if self._has_cost else None


def _counted(counts: Counter[str]) -> dict[str, int]:
    """The most frequent first, without what was taken back."""
    return {name: count for name, count in counts.most_common() if count}


def _distribution(histogram: Histogram) -> dict[str, Any]:
    """The quantiles, and of each bucket its middle and count."""
    quantiles = {f"p{share * 100:g}": histogram.quantile(share) for share in _QUANTILES}
    return {**quantiles, "buckets": histogram.buckets()}
