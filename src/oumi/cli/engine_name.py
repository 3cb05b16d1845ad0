"""The name of an engine, as an argument of a command."""

from __future__ import annotations

from typing import Any

import click

from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import ROWS
from oumi.core.configs import InferenceEngineType
from oumi.core.names import did_you_mean


class EngineName(click.ParamType[EngineRow]):
    """In any case of letters; becomes the engine's row."""

    name = "engine"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> EngineRow:
        """The row of that name. Raises BadParameter, which names the nearest one."""
        try:
            return ROWS[InferenceEngineType(value)]
        except ValueError:
            hint = did_you_mean(str(value).upper(), ROWS, show=str)
            hint = hint or f"known are {', '.join(ROWS)}"
            self.fail(f"no engine {value!r}; {hint}", param, ctx)
