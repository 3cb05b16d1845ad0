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
        "_grown_s",
        "_plateau",
        "_since_plateau_s",
        "_speed",
        "_tuning",
        "level",
    )

    def __init__(self, level: float, tuning: Tuning = TUNING):
        self.level = self._plateau = level
        self._tuning = tuning
        self._depth = 0.0  # logarithm of plateau / reduced level
        self._since_plateau_s = 0.0  # negative before it
        self._speed = 1.0
        self._best_level = 0.0  # what was borne lately, estimated
        self._grown_s = 0.0  # time of growth since the last reduction

    def reduce(self, failed: float, ratio: float, *, speed: float = 1.0) -> None:
        """Congestion at the level `failed`: go down to `ratio` of it (RFC 9438: beta_cubic).

        The growth after it is `speed` times as fast.
        """
        tuning = self._tuning
        self._speed = speed
        if self._grown_s > tuning.min_growth_s:
            self._best_level *= tuning.best_level_decay_ratio
        self._best_level = max(self._best_level, failed)
        below_failed = max(failed - tuning.min_plateau_gap, tuning.min_level)
        self._plateau = min(failed * tuning.plateau_ratio, below_failed)
        self._restart(min(max(failed * ratio, tuning.min_level), self._plateau))

    def cap(self, level: float) -> None:
        """Go down to `level` if above it, and grow from there; the plateau stays."""
        if level < self.level:
            self._restart(min(max(level, self._tuning.min_level), self._plateau))

    def grow(self, seconds: float, in_use: bool) -> None:
        """Time has passed; what is not in use grows only up to its plateau (RFC 9438, 5.8)."""
        tuning = self._tuning
        self._grown_s += seconds
        self._best_level -= self._best_level * seconds / tuning.best_level_memory_s
        is_outage = self.level < self._best_level * tuning.outage_level_ratio
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
            before_ratio = since_plateau_s / tuning.plateau_after_s
            return self._plateau * exp(self._depth * before_ratio**3)
        if since_plateau_s <= tuning.max_curve_s:
            return self._plateau * exp(tuning.growth_per_s3 * since_plateau_s**3)
        # Beyond its end the curve goes on as steep as it ends there.
        steepest_per_s = 3 * tuning.growth_per_s3 * tuning.max_curve_s**2
        return min(self.level * exp(steepest_per_s * seconds), tuning.max_level)

    def _restart(self, level: float) -> None:
        self.level = level
        self._depth = log(self._plateau / level)
        self._since_plateau_s = -self._tuning.plateau_after_s
        self._grown_s = 0.0
