"""The rate that a server grants which asks for a pause with each refusal.

Such a server has given away all that it had, and gives nothing in the pause. What it took since the
last pause, in an active time, says what it grants a second:

- at least what it took, over the active time and the pause together. A window of a minute grants
  just that.
- at least what it took but for what it may have saved up, over the active time alone. A token
  bucket grants just that. It saves up no more than the burst that it took up to its first refusals.
- at most what it took, over the active time alone. A window of a second grants just that.

A server that goes on taking most requests just after it has refused one had something left: it
refuses by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from oumi.runner.limits.tuning import TUNING, Tuning

_MARK_RATIO = 1.01
"""A pace that has grown by this is marked: fine enough to find where it was steady."""


class StartedRequest(Protocol):
    """What is known of a request that was started."""

    started_s: float
    number: int
    """How many requests had been started by then, this one included."""


class Grant(NamedTuple):
    """What a server grants, in requests a second."""

    least: float
    most: float
    is_measured: bool
    """Whether it was active for long enough; else all that it took may have been saved up."""

    @property
    def failed(self) -> float:
        """What is too much for certain; 0 where nothing is."""
        return self.least if self.is_measured else 0.0


class _Mark(NamedTuple):
    """How many requests had been started at a moment, from which on they started at this pace."""

    at_s: float
    starts: int
    pace_per_s: float

    def taken_until(self, refused: StartedRequest) -> tuple[int, float]:
        """How many were taken from here until one was refused, and in how many seconds."""
        return max(refused.number - 1 - self.starts, 0), max(refused.started_s - self.at_s, 0.0)


class GrantedRate:
    """Measures what a server takes from one pause to the next. Its owner tells it of starts, and of
    each refusal.
    """

    __slots__ = (
        "_burst_s",
        "_first",
        "_first_refused",
        "_is_burst",
        "_last_refused",
        "_marks",
        "_refused",
        "_tuning",
    )

    def __init__(self, tuning: Tuning = TUNING):
        self._tuning = tuning
        self._marks: list[_Mark] = []  # since the last pause, one for each higher pace
        self._first: _Mark | None = None
        self._is_burst = True  # until the first start after the first pause
        self._refused = self._first_refused = self._last_refused = 0  # of the burst
        self._burst_s = 0.0

    def chance_share(self, starts: int) -> float:
        """The share of refusals in the burst, now that its pause is over, where they are chance; 0
        where they show a limit. So many requests had been started.
        """
        if not self._is_burst or self._marks or not self._refused:
            return 0.0
        share = self._refused / (starts - self._first_refused + 1)
        return share if share <= self._tuning.max_chance_share else 0.0

    def note_starts(self, now_s: float, starts: int, pace_per_s: float) -> None:
        """So many requests were started before the one of now, which starts at this pace."""
        marks = self._marks
        if not marks:
            self._is_burst = self._first is None
        elif pace_per_s < _MARK_RATIO * marks[-1].pace_per_s:
            return
        marks.append(_Mark(now_s, starts, pace_per_s))
        self._first = self._first or marks[0]

    def refused(self, request: StartedRequest) -> None:
        """A request was refused. To be called before `end`."""
        if self._is_burst and self._first is not None:
            self._refused += 1
            self._first_refused = min(self._first_refused or request.number, request.number)
            self._last_refused = max(self._last_refused, request.number)
            self._burst_s = max(self._burst_s, request.started_s - self._first.at_s)

    def end(self, request: StartedRequest, pause_s: float) -> Grant | None:
        """What was granted until this request, the first one since the last pause, was refused and
        the next pause began. None without a pause, and where nothing is known of the starts.
        """
        marks, self._marks = self._marks, []
        if not marks or pause_s <= 0:
            return None
        recent_s = min(pause_s, self._tuning.search_doubling_s)
        taken, active_s = marks[0].taken_until(request)
        least, is_measured = taken / (active_s + pause_s), active_s >= recent_s / 2
        steady = self._first_steady(marks, request.started_s - recent_s)
        taken, active_s = steady.taken_until(request)
        if active_s > max(2 * self._burst_s, recent_s):
            burst = self._last_refused - self._refused
            least = max(least, (taken - burst) / (active_s - self._burst_s))
        most = max(least, taken / max(active_s, recent_s))
        return Grant(least, most, is_measured)

    def _first_steady(self, marks: Sequence[_Mark], latest_s: float) -> _Mark:
        """From when on the pace was about that of now: what was not used before is no measure. Not
        later than `latest_s`, where the starts are known for so long.
        """
        steady_per_s = self._tuning.steady_pace_ratio * marks[-1].pace_per_s
        began = marks[0]
        for mark in marks:
            if mark.at_s > latest_s or began.pace_per_s >= steady_per_s:
                break
            began = mark
        return began
