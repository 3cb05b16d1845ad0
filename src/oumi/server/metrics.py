"""What the server counts, in the form of Prometheus.

The counts are plain numbers, and become metrics when they are asked for: a counter of the library
takes a lock for each step, and those of a request a tenth of its time.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from oumi.core.types.completion import Usage
from oumi.runner.cost import cost_of
from oumi.server.load import KeyLoad, LoopLoad, ModelLoad

if TYPE_CHECKING:
    from oumi.server.accounts.account import Account
    from oumi.server.models import Model

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

Labels = tuple[str, ...]


class _Seconds:
    """How long things took, by bucket."""

    __slots__ = ("_counts", "_total_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)  # the last one is of what took longer than all
        self._total_s = 0.0

    def add(self, took_s: float) -> None:
        """Count a thing."""
        self._counts[bisect_left(_SECONDS, took_s)] += 1
        self._total_s += took_s

    def add_to(self, metric: HistogramMetricFamily, label: str) -> None:
        """Show them under a label."""
        ends = [*map(floatToGoString, _SECONDS), "+Inf"]
        buckets = list(zip(ends, accumulate(self._counts), strict=True))
        metric.add_metric((label,), buckets, self._total_s)


@dataclass(slots=True)
class _Answers:
    """What a model has answered to a key."""

    requests: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class Metrics(Collector):
    """The counts of one server, each by model, key or endpoint."""

    content_type = b"text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: defaultdict[str, _Seconds] = defaultdict(_Seconds)
        self._first_token: defaultdict[str, _Seconds] = defaultdict(_Seconds)
        self._answers: defaultdict[Labels, _Answers] = defaultdict(_Answers)

    def watch(self, models: Iterable[Model], accounts: Iterable[Account]) -> None:
        """Report how busy the models and the process are, too, and what keys with limits ask and
        spend.
        """
        self._registry.register(ModelLoad(models))
        self._registry.register(KeyLoad(accounts))
        self._registry.register(LoopLoad())
        ProcessCollector(registry=self._registry)

    def request_ended(self, path: str, status: int, took_s: float) -> None:
        """A request has its reply, or its client has left."""
        self._requests[path, status] += 1
        self._seconds[path].add(took_s)

    def first_token(self, model: Model, after_s: float) -> None:
        """The first part of a stream has come."""
        self._first_token[model.name].add(after_s)

    def answered(self, model: Model, key: str, usage: Usage, cached: int = 0) -> None:
        """A request is answered and paid for; so many of its answers were in the cache."""
        answers = self._answers[model.name, key]
        answers.requests += 1
        answers.cached += cached
        answers.prompt_tokens += usage.prompt_tokens
        answers.completion_tokens += usage.completion_tokens
        answers.cost_usd += cost_of(usage, model.session.price)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The counts so far."""
        yield _histogram("oumi_request_seconds", "Time until the end of the reply.",
                         "path", self._seconds)  # fmt: skip
        yield _histogram("oumi_first_token_seconds",
                         "Time until the first part of a streamed answer.",
                         "model", self._first_token)  # fmt: skip
        requests: dict[Labels, float] = {
            (path, str(status)): count for (path, status), count in self._requests.items()
        }
        yield _counter("oumi_requests", "Requests by endpoint and status.",
                       ("path", "status"), requests)  # fmt: skip
        yield from self._answer_counts()

    def _answer_counts(self) -> Iterator[Metric]:
        by_key, answers = ("model", "key"), self._answers.items()
        requests = {labels: one.requests for labels, one in answers}
        cached = {labels: one.cached for labels, one in answers if one.cached}
        tokens = {(*labels, "prompt"): one.prompt_tokens for labels, one in answers}
        tokens |= {(*labels, "completion"): one.completion_tokens for labels, one in answers}
        cost_usd = {labels: one.cost_usd for labels, one in answers if one.cost_usd}
        yield _counter("oumi_answers", "Requests that were answered.", by_key, requests)
        yield _counter("oumi_cache_hits", "Answers that were taken from the cache.",
                       by_key, cached)  # fmt: skip
        yield _counter("oumi_tokens", "Tokens of answered requests.",
                       (*by_key, "kind"), tokens)  # fmt: skip
        yield _counter("oumi_cost_usd", "What answers have cost, at published prices.",
                       by_key, cost_usd)  # fmt: skip


def _counter(
    name: str, text: str, labels: Sequence[str], counts: Mapping[Labels, float]
) -> CounterMetricFamily:
    metric = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts.items():
        metric.add_metric(values, count)
    return metric


def _histogram(
    name: str, text: str, label: str, seconds: Mapping[str, _Seconds]
) -> HistogramMetricFamily:
    metric = HistogramMetricFamily(name, text, labels=(label,))
    for value, one in seconds.items():
        one.add_to(metric, value)
    return metric
