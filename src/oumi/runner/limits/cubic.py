"""A level that falls and climbs again, by a curve over time (adaptive.py says why)."""

from __future__ import annotations

from math import exp, log

_STEEPNESS, _HASTE = 0.0001, 2.3
_PLATEAU = 0.97
_CURVE_S = 20.0
_HIGHEST = 1e6
_KNEE_S = 5.0
_RETURN = 8.0
_REMEMBER_S = 40.0
_TRIED_S = 0.5
_FADING = 0.8


class CubicWindow:
    """A level that fell: where it is by now."""

    __slots__ = ("_best", "_depth", "_moved_s", "_phase_s", "_plateau", "_speed", "level")

    def __init__(self, level: float):
        self.level = self._plateau = level
        self._depth = self._phase_s = 0.0
        self._speed = 1.0
        self._best = self._moved_s = 0.0

    def fall(self, failed: float, share: float, in_haste: bool = False) -> None:
        """Begin anew at `share` of the level that failed; in haste where that is a guess."""
        self._speed = _HASTE if in_haste else 1.0
        if self._moved_s > _TRIED_S:
            self._best *= _FADING
        self._best = max(self._best, failed)
        self._plateau = min(failed * _PLATEAU, max(failed - 0.6, 0.6))
        self._begin(min(failed * share, self._plateau))

    def pull_in(self, level: float) -> None:
        """Not above this for now."""
        if level < self.level:
            self._begin(min(max(level, 0.6), self._plateau))

    def climb(self, seconds: float, in_use: bool) -> None:
        """Time has passed; beyond the plateau only a level in use climbs."""
        self._moved_s += seconds
        self._best -= self._best * seconds / _REMEMBER_S
        seconds *= _RETURN if self.level < self._best / 2 else self._speed
        phase_s = self._phase_s + seconds
        if not in_use and phase_s > 0:
            phase_s = max(0.0, self._phase_s)
            seconds = 0.0
        self._phase_s = phase_s
        if phase_s < 0:
            self.level = self._plateau * exp(self._depth * (phase_s / _KNEE_S) ** 3)
        elif phase_s <= _CURVE_S:
            self.level = self._plateau * exp(_STEEPNESS * phase_s**3)
        else:  # go on as steep as the curve ends
            steepest = 3 * _STEEPNESS * _CURVE_S**2
            self.level = min(self.level * exp(steepest * seconds), _HIGHEST)

    def _begin(self, level: float) -> None:
        self.level = level
        self._depth = log(self._plateau / level)
        self._phase_s = -_KNEE_S
        self._moved_s = 0.0
