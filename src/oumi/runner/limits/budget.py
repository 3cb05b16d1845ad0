"""What a run may still spend, of dollars and of tokens, and how many rows it may ask.

Counted are the answers that earlier calls of the run have recorded, those of this call, and at
their estimate all requests that may have been paid for without an answer that says so: in flight,
given up, or in flight when a process was killed. A request begins only where all of that and its
own estimate stay within the budget. One that does not fit waits for those in flight, which mostly
take less than was estimated. Where none is in flight, the budget is used up.

An estimate is the most that a request can take: all bytes of its prompt as tokens, or its tokens
where they are counted on this machine, and `max_new_tokens` of answer. Where prompts turn out to
have more, as with images, all further estimates grow in proportion.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Self

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.part import Part
from oumi.core.types.completion import Usage
from oumi.errors import BudgetError, ConfigError, OumiError
from oumi.runner.cost import Price, cost_of
from oumi.runner.limits.reservation import NO_TOKENS, Reservation, Tokens

_Waiter = tuple[Tokens, Price | None, asyncio.Future[Reservation]]

LIMITS = ("max_cost_usd", "max_total_tokens", "max_rows")
"""The settings that limit what a run may take."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was taken before: by earlier calls of a run, or before a server was started."""

    tokens: int = 0
    """Those of all answers that are recorded."""
    usd: float = 0.0
    """What these have cost."""
    unrecorded: Tokens = NO_TOKENS
    """Tokens that may have been paid for besides: at most these."""

    @classmethod
    def of(cls, usage: Usage, unrecorded: Tokens, price: Price | None) -> Self:
        """From tokens that all have one price."""
        return cls(usage.total_tokens, cost_of(usage, price), unrecorded.at_price(price))


class Budget:
    """The budget of one run, of one part of it, or of a key of a server. One event loop, no tasks.

    `record` is called with the tokens that may have been paid for and stand in no record, whenever
    they are more than it was last told; what it does is to outlive the process.
    """

    def __init__(self, config: InferenceConfig, spent: Spent, record: Callable[[Tokens], None]):
        parts = 1 if config.part is None else Part.parse(config.part).count
        self._share = "" if config.part is None else f", the share of part {config.part},"
        self._max_cost = config.max_cost_usd and config.max_cost_usd / parts
        self._max_tokens = config.max_total_tokens and config.max_total_tokens // parts
        self._max_rows, self._most_rows = config.max_rows, most_rows(config)
        self._tokens, self._usd = spent.tokens, spent.usd  # of answers
        self._lost = spent.unrecorded
        self._reserved = self._sent = NO_TOKENS  # by requests that have begun; that were sent
        self._requests = 0  # that have a reservation
        self._recorded = spent.unrecorded
        self._record = record
        self._excess = 1.0  # by how much prompts were larger than their estimate, at most
        self._waiting: deque[_Waiter] = deque()

    @property
    def spent(self) -> Spent:
        """What is spent by now. Requests in flight count as unrecorded, as at a kill."""
        return Spent(self._tokens, self._usd, self._recorded)

    @property
    def limits_tokens(self) -> bool:
        """Whether requests have to be estimated."""
        return self._max_cost is not None or self._max_tokens is not None

    def allows_row(self, index: int) -> bool:
        """Whether a row, by its number from 0, is one of the first that may be asked."""
        return self._most_rows is None or index < self._most_rows

    def rows_error(self) -> BudgetError:
        """The error that ends a run at its last row."""
        return BudgetError(f"max_rows = {self._max_rows:,} is reached", "max_rows")

    async def reserve(
        self, most: Tokens, price: Price | None, *, is_begun: bool = False
    ) -> Reservation:
        """Reserve the most tokens that a request can take, once they fit. Rows that are begun go
        before new ones: what they took would be for nothing.

        Raises BudgetError where nothing is in flight that may take less than it has reserved.
        """
        is_next = is_begun or not self._waiting
        if is_next and (self._fits(most, price) or not self._requests):
            return self._start(most, price)
        future: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if is_begun else self._waiting.append)((most, price, future))
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().release()
            raise

    def close(self) -> None:
        """Nothing is in flight any more."""
        if self._recorded != self._lost:
            self._record(self._lost)
            self._recorded = self._lost

    def sent(self, reservation: Reservation) -> None:
        """A request is about to be sent. Raises StorageError."""
        self._note(self._lost.plus(self._sent).plus(reservation.tokens))
        self._sent = self._sent.plus(reservation.tokens)

    def end(self, reservation: Reservation, usage: Usage, lost: Tokens) -> None:
        """A request has ended: with an answer of this usage, or with tokens that are lost."""
        self._requests -= 1
        self._reserved = self._reserved.minus(reservation.tokens)
        if reservation.is_sent:
            self._sent = self._sent.minus(reservation.tokens)
        self._tokens += usage.total_tokens
        self._usd += cost_of(usage, reservation.price)
        self._lost = self._lost.plus(lost)
        self._excess = max(self._excess, usage.prompt_tokens / max(reservation.estimate.prompt, 1))
        self._serve()

    def _start(self, most: Tokens, price: Price | None) -> Reservation:
        tokens = self._scaled(most, price)
        if (setting := self._reached(tokens)) is not None:
            raise self._error(setting, tokens)
        self._reserved = self._reserved.plus(tokens)
        self._requests += 1
        return Reservation(self, most, tokens, price)

    def _note(self, unrecorded: Tokens) -> None:
        """Have it recorded where more may be paid for, and in no record, than ever before."""
        most = unrecorded.most(self._recorded)
        if most != self._recorded:
            self._record(most)
            self._recorded = most

    def _serve(self) -> None:
        """Let those go on that wait and now fit, in order."""
        while self._waiting:
            most, price, future = self._waiting[0]
            if not future.done() and self._requests and not self._fits(most, price):
                return
            self._waiting.popleft()
            if future.done():  # cancelled
                continue
            try:
                future.set_result(self._start(most, price))
            except OumiError as error:  # which ends the run, and with it all that wait
                future.set_exception(error)
                return

    def _scaled(self, most: Tokens, price: Price | None) -> Tokens:
        return Tokens(ceil(most.prompt * self._excess), most.completion).at_price(price)

    def _fits(self, most: Tokens, price: Price | None) -> bool:
        return self._reached(self._scaled(most, price)) is None

    def _reached(self, tokens: Tokens) -> str | None:
        """The setting that a request of these tokens could pass; None where it fits."""
        open_ = self._lost.plus(self._reserved).plus(tokens)
        if self._max_tokens is not None and self._tokens + open_.total > self._max_tokens:
            return "max_total_tokens"
        if self._max_cost is not None and self._usd + open_.usd > self._max_cost:
            return "max_cost_usd"
        return None

    def _error(self, setting: str, tokens: Tokens) -> BudgetError:
        if setting == "max_total_tokens":
            spent = self._tokens + self._lost.total
            most = f"{setting} = {self._max_tokens:,}{self._share}"
            reached = f"{most} is reached: {spent:,} tokens are spent"
            return BudgetError(
                f"{reached}, and the next request may take {tokens.total:,}", setting
            )
        spent_usd = self._usd + self._lost.usd
        most = f"{setting} = {self._max_cost:g}{self._share}"
        reached = f"{most} is reached: ${spent_usd:.4f} is spent"
        return BudgetError(f"{reached}, and the next request may cost ${tokens.usd:.4f}", setting)


def has_budget(config: InferenceConfig) -> bool:
    """Whether anything limits what a run may take."""
    return any(getattr(config, name) is not None for name in LIMITS)


def most_rows(config: InferenceConfig) -> int | None:
    """How many rows may be asked, each of their samples counted; None where nothing limits them."""
    return None if config.max_rows is None else config.max_rows * config.generation.num_samples


def check_no_budget(config: InferenceConfig) -> None:
    """Raise ConfigError for a budget of a batch job, which is handed over as a whole."""
    for name in LIMITS:
        if getattr(config, name) is not None:
            raise ConfigError(
                f"{name}: a batch job is handed over as a whole, so that no budget of it is kept; "
                "`estimate` says before what it costs"
            )


def budget_of_call(config: InferenceConfig, price: Price | None) -> Budget | None:
    """The budget of a call that goes on from no other; None where nothing limits it. Raises
    ConfigError where a cost is limited that nobody knows.
    """
    if not has_budget(config):
        return None
    check_price(price, config)
    return Budget(config, Spent(), lambda _: None)


def check_price(price: Price | None, config: InferenceConfig) -> None:
    """Raise ConfigError for a cost that is limited, while nobody knows what tokens cost."""
    if config.max_cost_usd is None:
        return
    give = "give its price by price.input_per_million and price.output_per_million, or limit "
    if price is None:
        raise ConfigError(
            f"max_cost_usd: {config.model.model_name!r} has no price here, being on this machine "
            f"or on a server of your own; {give}max_total_tokens instead"
        )
    if not price.is_known:
        raise ConfigError(
            f"max_cost_usd: no price is published for {price.model!r}; {give}max_total_tokens "
            "instead"
        )
