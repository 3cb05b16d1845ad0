"""A session whose requests are answered by the workers of a cluster."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field

from oumi.backends.remote.http.rate_limit_headers import HeaderObserver
from oumi.core.types.completion import Completion, Delta
from oumi.distributed.messages import Question
from oumi.distributed.pool import WorkerPool
from oumi.runner.request import Request
from oumi.runner.session import Session
from oumi.runner.worker_status import WorkerStatus


@dataclass(frozen=True, kw_only=True)
class ClusterSession(Session):
    """The limiter, the prices and what answers have to look like are the driver's."""

    pool: WorkerPool = field(repr=False)
    rate_limits: HeaderObserver | None = field(default=None, repr=False)
    """Tells the limiter what the headers of an API's replies say, which the workers pass on."""
    estimate: Callable[[Request], tuple[int, int]] = field(repr=False)
    numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    async def complete(self, request: Request) -> Completion:
        """Answer one request on a worker."""
        question = Question.of(next(self.numbers), request, self.config)
        reply = await self.pool.ask(question, request.key)
        for headers, status in reply.headers:
            if self.rate_limits is not None:
                self.rate_limits.observe(headers, status)
        return reply.outcome()

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """The answer in one piece: a cluster is for many rows, not for who reads along."""
        completion = await self.complete(request)
        text = completion.message.compute_flattened_text_content()
        yield Delta(content=text)
        yield Delta(completion=completion)

    def report_workers(self) -> tuple[WorkerStatus, ...]:
        """How the workers stand."""
        return self.pool.report()

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """Upper bounds, for limits in tokens."""
        return self.estimate(request)
