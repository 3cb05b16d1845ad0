"""The budget of a key, for ever or for a day."""

from __future__ import annotations

from dataclasses import replace

from oumi.core.configs import InferenceConfig
from oumi.core.logs import logger
from oumi.core.types.completion import Usage
from oumi.errors import StorageError
from oumi.runner.limits.budget import Budget
from oumi.runner.limits.reservation import Reservation, Tokens
from oumi.server.accounts.spending import SpendingFile
from oumi.server.key_settings import KeySettings


class KeyBudget(Budget):
    """The budget of a key in a period: a day, or "" for ever. A file is told of all that it spends,
    and of what is in flight before it is sent.
    """

    def __init__(self, name: str, settings: KeySettings, period: str, spending: SpendingFile):
        self.period = period
        self.is_over = False
        """Whether another period has begun. What still ends counts in this one, and the file is of
        the other."""
        self._name = name
        self._spending = spending
        super().__init__(_limits(settings), spending.spent(name, period), self._save)

    def end(self, reservation: Reservation, usage: Usage, lost: Tokens) -> None:
        """A request has ended. What it took is written down; an answer is not lost for that."""
        super().end(reservation, usage, lost)
        self._recorded = self._lost.plus(self._sent)
        try:
            self._save(self._recorded)
        except StorageError as error:
            logger.error("what the key %r has spent is not written down: %s", self._name, error)

    def _save(self, unrecorded: Tokens) -> None:
        if not self.is_over:
            spent = replace(self.spent, unrecorded=unrecorded)
            self._spending.save(self._name, self.period, spent)


def _limits(settings: KeySettings) -> InferenceConfig:
    """The budget as that of a run."""
    return InferenceConfig(
        max_cost_usd=settings.max_cost_usd, max_total_tokens=settings.max_total_tokens
    )
