"""Whether the server of a limiter is there, as all requests to it together show.

A request that does not reach the server (`unreachable`) says at once that it is away. One that
breaks (`broken`: no reply, or a status such as 500) may be the fault of its row; several rows of
which each breaks in the same way, with no answer between them, say that it is the server's.

Then an outage begins. It is a gate of the limiter, which holds all starts but one at a time: a
probe. The outage ends with the first reply to a probe, whatever it says about its row. Rows that
meet an outage use up no tries of their own; they wait in the limiter's queue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from oumi.errors import OumiError, UnavailableError
from oumi.runner.limits.gates import Gate
from oumi.runner.limits.outage import Outage, is_sign_of_outage
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.limits.status import Wait

BROKEN_ROWS = 8
"""So many rows that break one after the other are no chance: where every tenth request breaks,
and one after the other is sent, it happens once in 100,000,000 rows."""

_FLAKY_SHARE = 0.02
"""Where fewer rows break at their first try, 1 row in 6,000,000 breaks at four in a row by chance;
with twice as many tries, one in 1,600,000 does where each seventh try breaks."""

_AT_WORK_S = 5.0
"""What has no backend behind it closes a connection sooner than this."""

_LONG_S = 60.0
"""After so long, those who watch are told what is waited for. Refusals of one time of trouble are
not further apart than twice this."""


class _Refused(NamedTuple):
    """Requests were refused, and none answered, from `since_s` to `last_s`."""

    answers: int
    since_s: float
    last_s: float
    ends_s: float
    error: UnavailableError


class Availability:
    """Begins and ends the outages of one server, which is named `server` in errors. Its owner is
    the limiter: `gates` are the limiter's.
    """

    def __init__(self, gates: list[Gate], clock: Callable[[], float], server: str):
        self.answers = 0
        """How many requests were answered: another number shows that the server is there."""
        self.rows_failed = 0
        """How many rows broke at their first try."""
        self.outage: Outage | None = None
        self._gates = gates
        self._clock = clock
        self._server = server
        self._last_break: tuple[int, int | None] | None = None  # answers by then, status
        self._broken_rows = 0
        self._was_there = False
        self._refused: _Refused | None = None

    @property
    def wait(self) -> Wait | None:
        """What makes all rows wait: an outage, or a minute of nothing but refusals."""
        now_s, refused = self._clock(), self._refused
        if self.outage is not None:
            return Wait(str(self.outage.error), self.outage.ends_s - now_s, is_outage=True)
        if refused is None or refused.answers != self.answers:
            return None
        if now_s < refused.since_s + _LONG_S or now_s > refused.last_s + 2 * _LONG_S:
            return None
        return Wait(str(refused.error), refused.ends_s - now_s, is_outage=True)

    def refused(self, error: UnavailableError, ends_s: float) -> None:
        """The server has too much to do; the request is given up at `ends_s`."""
        now_s, last = self._clock(), self._refused
        goes_on = last and last.answers == self.answers and now_s <= last.last_s + 2 * _LONG_S
        since_s = last.since_s if last and goes_on else now_s
        self._refused = _Refused(self.answers, since_s, now_s, ends_s, error)

    @property
    def was_there(self) -> bool:
        """Whether the server has ever answered, or worked on an answer."""
        return self.answers > 0 or self._was_there

    @property
    def is_flaky(self) -> bool:
        """Whether many requests break, so that a row which breaks may be no worse than others."""
        others_failed = self.rows_failed - 1
        return others_failed > _FLAKY_SHARE * (self.answers + self.rows_failed)

    def note_duration(self, error: UnavailableError, started_s: float) -> None:
        """A request failed now. One that takes long before it breaks was being answered."""
        if error.no_reply and not error.unreachable and self._clock() > started_s + _AT_WORK_S:
            self._was_there = True

    def row_broke(self, error: UnavailableError, most_rows: int) -> bool:
        """Note a row that has broken for the first time since the last answer. Returns whether so
        many did in the same way that it is not theirs. At most `most_rows` are under way.
        """
        this_break = (self.answers, error.status)
        self._broken_rows = self._broken_rows + 1 if this_break == self._last_break else 1
        self._last_break = this_break
        # Where nothing was ever answered, the first rows of the input may all be bad ones.
        enough = min(BROKEN_ROWS, most_rows) if self.was_there else BROKEN_ROWS
        return self._broken_rows >= enough

    def begin(self, error: UnavailableError, policy: RetryPolicy, starts: int) -> Outage:
        """The server is away, after so many `starts`."""
        self.outage = Outage(
            error, policy, self._clock(), starts, is_first_contact=not self.was_there
        )
        self._gates.append(self.outage)
        return self.outage

    def probe_failed(self, error: BaseException | None) -> None:
        """A request that was started in an outage failed, or was not sent."""
        if self.outage is None:
            return
        if isinstance(error, UnavailableError) and is_sign_of_outage(error):
            self.outage.probe_failed(error, self._clock())
        elif isinstance(error, OumiError):
            self.end()
        else:
            self.outage.drop_probe()

    def end(self) -> None:
        """The server is there, or nobody asks any more."""
        if self.outage is not None:
            self._gates.remove(self.outage)
            self.outage = None

    def end_stale(self) -> None:
        """Forget an outage that nobody has waited through."""
        if self.outage is not None and self.outage.is_stale(self._clock()):
            self.end()

    def check_patience(self) -> None:
        """Raises the error that ends the run once an outage has lasted too long."""
        outage, now_s = self.outage, self._clock()
        if outage is not None and outage.is_over_patience(now_s):
            lasted = outage.lasted
            outage.restart(now_s)
            raise self.given_up(outage.error, lasted)

    def given_up(self, error: UnavailableError, lasted: str) -> UnavailableError:
        """The error that ends the run: whose server it is, and its last words."""
        words = str(error).removeprefix(f"{self._server}: ").rstrip(".")
        advice = "Check that it runs, and remote_params.api_url; the same call goes on from here."
        return UnavailableError(
            f"no answer from {self._server} {lasted}: {words}. {advice}",
            status=error.status,
            ends_run=True,
        )
