"""The name of an engine, as an argument of a command."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import find_engine
from oumi.cli.setting_completion import complete_engine
from oumi.errors import ConfigError


class EngineName(click.ParamType[EngineRow]):
    """In any case of letters; becomes the engine's row."""

    name = "engine"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The engines whose name begins so."""
        return complete_engine(ctx, param, incomplete)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> EngineRow:
        """The row of that name. Raises BadParameter, which names the nearest one."""
        try:
            return find_engine(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)
