"""What the rows of a run share besides their session and their store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oumi.runner.events import Event
from oumi.runner.refusals import Refusals
from oumi.runner.stop_signal import StopSignal

if TYPE_CHECKING:
    from oumi.runner.cache.answers import AnswerCache
    from oumi.runner.limits.budget import Budget


def _ignore(event: Event) -> None:
    pass


@dataclass(frozen=True, slots=True)
class RowContext:
    """Made once a run; by itself that of a row without one."""

    notify: Callable[[Event], object] = _ignore
    """Hears of what happens to a row before it has ended, such as each retry and repair."""
    stop: StopSignal = field(default_factory=StopSignal)
    refusals: Refusals = field(default_factory=Refusals)
    cache: AnswerCache | None = None
    budget: Budget | None = None
