"""Growth of a limit after congestion, by a curve over time as in TCP CUBIC (RFC 9438)."""

from __future__ import annotations

from math import exp, log

from oumi.runner.limits.tuning import TUNING, Tuning


class CubicWindow:
    """A limit that congestion reduces and time lets grow: requests in flight, or starts a second.

    CUBIC's window is plateau + C * t ** 3, t counted from the moment of the plateau. Here the
    same curve holds for the logarithm of the level, so that 5 and 5,000 grow by equal factors:
    concave from the reduced level up to the plateau, just below the level that failed; flat
    there for long; then convex, ever faster, as the server may bear more by now.
    """

    __slots__ = (
        "_best_level",
        "_depth",
        "_doubling_s",
        "_grown_s",
        "_plateau_s",
        "_since_plateau_s",
        "_speed",
        "_tuning",
        "is_search",
        "level",
        "plateau",
    )

    def __init__(self, level: float, tuning: Tuning = TUNING):
        self.level = self.plateau = level
        self.is_search = False
        """Whether the level doubles until it fails."""
        self._tuning = tuning
        self._depth = 0.0  # logarithm of plateau / reduced level
        self._since_plateau_s = 0.0  # negative before it
        self._speed = 1.0
        self._plateau_s = 0.0  # how long growth rests at the plateau
        self._doubling_s = 0.0  # of a search
        self._best_level = 0.0  # what was borne lately, estimated
        self._grown_s = 0.0  # time of growth since the last reduction

    def reduce(self, failed: float, ratio: float, *, speed: float = 1.0) -> None:
        """Congestion at the level `failed`: go down to `ratio` of it (RFC 9438: beta_cubic).

        The growth after it is `speed` times as fast.
        """
        tuning = self._tuning
        below_failed = max(failed - tuning.min_plateau_gap, tuning.min_level)
        plateau = min(failed * tuning.plateau_ratio, below_failed)
        self.reduce_to(failed * ratio, plateau, speed=speed)
        self._best_level = max(self._best_level, failed)

    def reduce_to(
        self,
        level: float,
        plateau: float,
        *,
        speed: float = 1.0,
        rest_s: float = 0.0,
        plateau_s: float = 0.0,
    ) -> None:
        """The same with a plateau that is known: growth rests for `rest_s` at the level, and for
        `plateau_s` at the plateau.
        """
        tuning = self._tuning
        self._speed, self._plateau_s, self.is_search = speed, plateau_s, False
        if self._grown_s > tuning.min_growth_s:
            self._best_level *= tuning.best_level_decay_ratio
        self.plateau = max(plateau, tuning.min_level)
        self._restart(min(max(level, tuning.min_level), self.plateau), rest_s)
        self._best_level = max(self._best_level, self.level)

    def search(self, level: float, doubling_s: float) -> None:
        """Congestion at a level that is not known: go on from this one, which doubles in that
        time, until the next congestion.
        """
        self.reduce_to(level, level)
        self.is_search, self._doubling_s = True, doubling_s

    @property
    def is_moving(self) -> bool:
        """Whether the level may be another one soon."""
        return self.is_search or self.level != self.plateau

    @property
    def is_probing(self) -> bool:
        """Whether the level is beyond its plateau."""
        return self._since_plateau_s > self._plateau_s

    def cap(self, level: float) -> None:
        """Go down to `level` if above it, and grow from there; the plateau stays."""
        if level < self.level:
            self._restart(min(max(level, self._tuning.min_level), self.plateau))

    def grow(self, seconds: float, in_use: bool) -> None:
        """Time has passed; what is not in use grows only up to its plateau (RFC 9438, 5.8)."""
        tuning = self._tuning
        self._grown_s += seconds
        self._best_level -= self._best_level * seconds / tuning.best_level_memory_s
        is_outage = self.level < self._best_level * tuning.outage_level_ratio
        if self.is_search:
            if in_use:
                self.level = min(self.level * 2 ** (seconds / self._doubling_s), tuning.max_level)
            return
        seconds *= tuning.outage_speed_ratio if is_outage else self._speed
        since_plateau_s = self._since_plateau_s + seconds
        if not in_use and since_plateau_s > 0:
            since_plateau_s = max(0.0, self._since_plateau_s)
            seconds = 0.0
        self._since_plateau_s = since_plateau_s
        self.level = self._curve(since_plateau_s, seconds)

    def _curve(self, since_plateau_s: float, seconds: float) -> float:
        tuning = self._tuning
        if since_plateau_s < 0:
            before_ratio = max(since_plateau_s / tuning.plateau_after_s, -1.0)
            return self.plateau * exp(self._depth * before_ratio**3)
        growing_s = max(since_plateau_s - self._plateau_s, 0.0)
        if growing_s <= tuning.max_curve_s:
            return self.plateau * exp(tuning.growth_per_s3 * growing_s**3)
        # Beyond its end the curve goes on as steep as it ends there.
        steepest_per_s = 3 * tuning.growth_per_s3 * tuning.max_curve_s**2
        return min(self.level * exp(steepest_per_s * seconds), tuning.max_level)

    def _restart(self, level: float, rest_s: float = 0.0) -> None:
        self.level = level
        self._depth = log(self.plateau / level)
        self._since_plateau_s = -self._tuning.plateau_after_s - rest_s
        self._grown_s = 0.0
