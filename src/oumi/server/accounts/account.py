"""How much a key may ask and spend, and how much it does."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from oumi.core.types.usage import Usage
from oumi.errors import BudgetError, UnavailableError
from oumi.runner.limits.budget import Budget, Spent
from oumi.runner.limits.config import Limits
from oumi.runner.limits.gates import SETTINGS
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.permit import Permit
from oumi.server.accounts.budget import KeyBudget
from oumi.server.accounts.spending import SpendingFile
from oumi.server.key_settings import KeySettings

_DAY = timedelta(days=1)

Respond = Callable[[Budget | None], Awaitable[Usage]]
"""Answers a request within a budget, and returns what it took."""
Estimate = Callable[[], Awaitable[tuple[int, int]]]
"""Tokens of the prompt and of the answers of a request, mostly more than they will have."""


class Account:
    """The limits of one key, for all of its requests together, and its budget."""

    def __init__(
        self,
        name: str,
        settings: KeySettings,
        spending: SpendingFile | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self.name = name
        self.refused: Counter[str] = Counter()
        """How many requests were refused, by the setting that is reached."""
        self._settings = settings
        self._limiter = Limiter(_limits(settings))
        self._counts_tokens = bool(
            settings.input_tokens_per_minute or settings.output_tokens_per_minute
        )
        self._spending = spending
        self._now = now
        self._budget: KeyBudget | None = None

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return self._limiter.in_flight

    @property
    def has_budget(self) -> bool:
        """Whether what it spends is limited."""
        return self._spending is not None

    @property
    def spent(self) -> Spent:
        """What it has spent in this period."""
        return Spent() if self.budget is None else self.budget.spent

    @property
    def budget(self) -> Budget | None:
        """The budget of this period; None where nothing limits it."""
        if self._spending is None:
            return None
        period = f"{self._now():%Y-%m-%d}" if self._settings.budget_per == "day" else ""
        if self._budget is not None and self._budget.period != period:
            self._budget.is_over = True
            self._budget = None
        if self._budget is None:
            self._budget = KeyBudget(self.name, self._settings, period, self._spending)
        return self._budget

    async def respond(self, respond: Respond, estimate: Estimate) -> None:
        """Have a request answered, unless it is beyond a limit or the budget: then it raises what
        `_admit` does, or BudgetError.
        """
        tokens = await estimate() if self._counts_tokens else (0, 0)
        with self._admit(*tokens) as permit:
            usage = await respond(self.budget)
            permit.done(usage.prompt_tokens, usage.completion_tokens, 0.0)

    @contextmanager
    def _admit(self, input_tokens: int, output_tokens: int) -> Iterator[Permit]:
        """The leave to ask for so many tokens, which ends with the block. Raises UnavailableError
        with status 429 beyond a limit, and RequestError for a request that no minute can hold.
        """
        permit = self._limiter.try_acquire(input_tokens, output_tokens)
        if permit is None:
            raise self._refusal(input_tokens, output_tokens)
        with permit:
            try:
                yield permit
            except BudgetError as error:
                self.refused[error.setting] += 1
                self._explain(error)
                raise

    def _refusal(self, input_tokens: int, output_tokens: int) -> UnavailableError:
        kind, wait_s = self._limiter.held_back_by(input_tokens, output_tokens)
        setting = "max_in_flight" if kind is None else SETTINGS[kind]
        self.refused[setting] += 1
        most = getattr(self._settings, setting)
        said = f"the key {self.name!r} has reached {setting} = {most:,}"
        return UnavailableError(said, status=429, wait_s=wait_s)

    def _explain(self, error: BudgetError) -> None:
        """Have the error say whose budget it is, and when there is more of it."""
        if self._settings.budget_per == "total":
            error.add_progress(f"It is the budget of the key {self.name!r}")
            return
        now = self._now()
        midnight = (now + _DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        error.wait_s = (midnight - now).total_seconds()
        error.add_progress(f"The key {self.name!r} gets as much again at 00:00 UTC")


def _limits(settings: KeySettings) -> Limits:
    return Limits(
        in_flight=settings.max_in_flight or sys.maxsize,
        requests_per_minute=settings.requests_per_minute,
        input_tokens_per_minute=settings.input_tokens_per_minute,
        output_tokens_per_minute=settings.output_tokens_per_minute,
        spread=False,  # a client's requests come in bursts, and it is to wait for none of them
        adaptive=False,
    )
