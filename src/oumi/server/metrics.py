"""What the server counts, in the form of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from oumi.core.types.completion import Usage
from oumi.server.load import KeyLoad, ModelLoad

if TYPE_CHECKING:
    from oumi.server.accounts.account import Account
    from oumi.server.models import Model

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """The counts of one server, each by model, key or endpoint."""

    content_type = b"text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "oumi_requests", "Requests by endpoint and status.", ("path", "status"),
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "oumi_request_seconds", "Time until the end of the reply.", ("path",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._first_token = Histogram(
            "oumi_first_token_seconds", "Time until the first part of a streamed answer.",
            ("model",), buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._tokens = Counter(
            "oumi_tokens", "Tokens of answered requests.", ("model", "key", "kind"),
            registry=self._registry,
        )  # fmt: skip
        self._answers = Counter(
            "oumi_answers", "Requests that were answered.", ("model", "key"),
            registry=self._registry,
        )  # fmt: skip
        self._cache_hits = Counter(
            "oumi_cache_hits", "Answers that were taken from the cache.", ("model", "key"),
            registry=self._registry,
        )  # fmt: skip
        self._cost = Counter(
            "oumi_cost_usd", "What answers have cost, at published prices.", ("model", "key"),
            registry=self._registry,
        )  # fmt: skip

        # To find a counter by its labels takes longer than to count.
        self._of_path = cache(self._find_of_path)
        self._of_key = cache(self._find_of_key)

    def watch(self, models: Iterable[Model], accounts: Iterable[Account]) -> None:
        """Report how busy the models are, too, and what keys with limits ask and spend."""
        self._registry.register(ModelLoad(models))
        self._registry.register(KeyLoad(accounts))

    def request_ended(self, path: str, status: int, took_s: float) -> None:
        """A request has its reply, or its client has left."""
        requests, seconds = self._of_path(path, status)
        requests.inc()
        seconds.observe(took_s)

    def first_token(self, model: Model, after_s: float) -> None:
        """The first part of a stream has come."""
        self._first_token.labels(model.name).observe(after_s)

    def answered(self, model: Model, key: str, usage: Usage) -> None:
        """An answer is paid for."""
        answers, prompt, completion = self._of_key(model.name, key)
        answers.inc()
        prompt.inc(usage.prompt_tokens)
        completion.inc(usage.completion_tokens)
        price = model.session.price
        if price is not None and (cost := price.cost(usage)):
            self._cost.labels(model.name, key).inc(cost)

    def found_in_cache(self, model: Model, key: str, answers: int) -> None:
        """So many answers were in the cache, and cost nothing."""
        self._cache_hits.labels(model.name, key).inc(answers)

    def _find_of_path(self, path: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(path, str(status)), self._seconds.labels(path)

    def _find_of_key(self, model: str, key: str) -> tuple[Counter, Counter, Counter]:
        find = partial(self._tokens.labels, model, key)
        return self._answers.labels(model, key), find("prompt"), find("completion")

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)
