"""Tokens of a budget that are kept for one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from oumi.core.types.completion import Usage
from oumi.errors import OumiError, RequestError

if TYPE_CHECKING:
    from oumi.runner.cost import Price


class Tokens(NamedTuple):
    """Tokens of prompts and of answers."""

    prompt: int = 0
    completion: int = 0
    usd: float = 0.0
    """What they cost at most, as far as that is known."""

    @property
    def total(self) -> int:
        """Those of prompts and of answers together."""
        return self.prompt + self.completion

    def at_price(self, price: Price | None) -> Tokens:
        """The same with what they cost at most."""
        usd = 0.0 if price is None else price.at_most(self.prompt, self.completion)
        return Tokens(self.prompt, self.completion, usd)

    def plus(self, other: Tokens) -> Tokens:
        """Both together."""
        return Tokens(
            self.prompt + other.prompt, self.completion + other.completion, self.usd + other.usd
        )

    def most(self, other: Tokens) -> Tokens:
        """The larger number of each."""
        return Tokens(
            max(self.prompt, other.prompt),
            max(self.completion, other.completion),
            max(self.usd, other.usd),
        )

    def minus(self, other: Tokens) -> Tokens:
        """What is left of these without others."""
        return Tokens(
            self.prompt - other.prompt, self.completion - other.completion, self.usd - other.usd
        )


NO_TOKENS = Tokens()


class Owner(Protocol):
    """The budget, which hears of what becomes of each reservation."""

    def sent(self, reservation: Reservation) -> None:
        """Its request is about to be sent. Raises StorageError."""
        ...

    def end(self, reservation: Reservation, usage: Usage, lost: Tokens) -> None:
        """Its request has ended."""
        ...


class Reservation:
    """The tokens that are kept for one request, until `spend` says what it took.

    A context manager: an exception that leaves the block before ends it. Once the request is
    `sent`, it counts as reserved then, unless the error shows that nothing was paid for.
    """

    __slots__ = ("_owner", "estimate", "is_sent", "price", "tokens")

    def __init__(
        self, owner: Owner | None, estimate: Tokens, tokens: Tokens, price: Price | None = None
    ):
        self._owner = owner
        self.is_sent = False
        """Whether it may be paid for."""
        self.estimate = estimate
        """The most that the request can take, as estimated."""
        self.tokens = tokens
        """What is kept for it."""
        self.price = price
        """What its tokens cost; None where they cost nothing."""

    def sent(self) -> None:
        """From now on the request may be paid for. Raises StorageError."""
        if self._owner is not None:
            self._owner.sent(self)
            self.is_sent = True

    def spend(self, usage: Usage) -> None:
        """It is answered, and the answer recorded. Without a count, it took what was reserved."""
        if self._owner is not None:
            self._end(usage, NO_TOKENS if usage.total_tokens else self.tokens)

    def release(self) -> None:
        """It was not sent."""
        self._end(Usage(), NO_TOKENS)

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._owner is not None:
            self._end(Usage(), self._paid(error) if self.is_sent else NO_TOKENS)

    def _end(self, usage: Usage, lost: Tokens) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.end(self, usage, lost)

    def _paid(self, error: BaseException | None) -> Tokens:
        """The most that may have been paid for a request which failed."""
        usage = getattr(error, "usage", None)
        if isinstance(usage, Usage):  # an answer that is none, such as a call of no tool
            return Tokens(usage.prompt_tokens, usage.completion_tokens).at_price(self.price)
        return NO_TOKENS if isinstance(error, OumiError) and _is_free(error) else self.tokens


def _is_free(error: OumiError) -> bool:
    """Whether nothing is paid for a request that ended so: it was refused, or not even sent."""
    was_refused = error.status not in (None, 200)
    return was_refused or isinstance(error, RequestError) or getattr(error, "unreachable", False)


NOTHING_RESERVED = Reservation(None, NO_TOKENS, NO_TOKENS)
"""For requests that no budget limits."""
