"""How busy models and keys are when it is asked for, in the form of Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from oumi.server.accounts.account import Account
    from oumi.server.models import Model


class ModelLoad(Collector):
    """What each model does, and what waits for it."""

    def __init__(self, models: Iterable[Model]):
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        yield self._gauge(
            "oumi_in_flight", "Requests that are being answered.", lambda m: m.status.in_flight
        )
        yield self._gauge(
            "oumi_in_flight_limit", "How many may be at once.", lambda m: m.status.allowed
        )
        yield self._gauge(
            "oumi_waiting", "Requests that wait for their turn.", lambda m: m.admission.waiting
        )

    def _gauge(self, name: str, text: str, read: Callable[[Model], int]) -> Metric:
        gauge = GaugeMetricFamily(name, text, labels=("model",))
        for model in self._models:
            gauge.add_metric((model.name,), read(model))
        return gauge


class LoopLoad(Collector):
    """What the event loop has to do, which a server that is left alone has next to none of."""

    def collect(self) -> Iterator[Metric]:
        """The gauge, read on the loop itself."""
        tasks = len(asyncio.all_tasks())
        yield GaugeMetricFamily("oumi_tasks", "Tasks of the event loop.", value=tasks)


class KeyLoad(Collector):
    """What each key asks and has spent that has limits or a budget."""

    def __init__(self, accounts: Iterable[Account]):
        self._accounts = accounts

    def collect(self) -> Iterator[Metric]:
        """The gauges, and the counts of what was refused."""
        in_flight = GaugeMetricFamily(
            "oumi_key_in_flight", "Requests of a key that are being answered.", labels=("key",)
        )
        spent_usd = GaugeMetricFamily(
            "oumi_key_spent_usd", "Dollars of its budget that a key has spent.", labels=("key",)
        )
        spent_tokens = GaugeMetricFamily(
            "oumi_key_spent_tokens", "Tokens of its budget that a key has spent.", labels=("key",)
        )
        refused = CounterMetricFamily(
            "oumi_key_refused",
            "Requests beyond a limit or a budget of a key.",
            labels=("key", "setting"),
        )
        for account in self._accounts:
            in_flight.add_metric((account.name,), account.in_flight)
            if account.has_budget:
                spent = account.spent
                spent_usd.add_metric((account.name,), spent.usd + spent.unrecorded.usd)
                spent_tokens.add_metric((account.name,), spent.tokens + spent.unrecorded.total)
            for setting, count in account.refused.items():
                refused.add_metric((account.name, setting), count)
        return iter((in_flight, spent_usd, spent_tokens, refused))
