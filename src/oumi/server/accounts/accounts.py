"""The accounts of all keys that have limits or a budget."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from oumi.errors import ConfigError
from oumi.server.accounts.account import Account, Estimate, Respond
from oumi.server.accounts.spending import SpendingFile
from oumi.server.http.errors import HttpError
from oumi.server.key_settings import KeySettings
from oumi.server.state_folder import state_folder

if TYPE_CHECKING:
    from oumi.server.models import Model


_NO_PRICE = "no model here has a price"
_GIVE = (
    "give one by price.input_per_million and price.output_per_million of the model, or limit "
    "max_total_tokens instead"
)


class Accounts:
    """The accounts by the names of their keys, open within `with`."""

    def __init__(self, settings: Mapping[str, KeySettings]):
        self._settings = settings
        self._accounts: dict[str, Account] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Raises StorageError where what was spent before cannot be read."""
        spending = None
        if any(one.has_budget for one in self._settings.values()):
            spending = self._stack.enter_context(SpendingFile(state_folder() / "spending.jsonl"))
        for name, one in self._settings.items():
            if one.has_limits or one.has_budget:
                self._accounts[name] = Account(name, one, spending if one.has_budget else None)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def respond(self, name: str, respond: Respond, estimate: Estimate) -> Awaitable[object]:
        """Have a request of a key answered within its limits and its budget, if it has any. What is
        to be asked is estimated only where a limit counts tokens.
        """
        account = self._accounts.get(name)
        return respond(None) if account is None else account.respond(respond, estimate)

    def check_prices(self, models: Iterable[Model]) -> None:
        """Raise ConfigError for a budget in dollars where nobody knows what a model costs, or where
        none has a price.
        """
        paid = [model.session.price for model in models if model.session.price is not None]
        for name, settings in self._settings.items():
            if settings.max_cost_usd is None:
                continue
            unknown = [price.model for price in paid if not price.is_known]
            if unknown or not paid:
                said = f"no price is published for {unknown[0]!r}" if unknown else _NO_PRICE
                raise ConfigError(f"keys.{name}.max_cost_usd: {said}; {_GIVE}")

    def check_batches(self, name: str) -> None:
        """Raise HttpError for a key with a budget, which no batch would keep to: it is handed over
        as a whole.
        """
        account = self._accounts.get(name)
        if account is not None and account.has_budget:
            raise HttpError(403, f"the key {name!r} has a budget, and no budget of a batch is kept")
