"""`--list`: the configs of this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from oumi.core.configs import InferenceConfig
from oumi.core.configs.named import config_names

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def list_option(command: CommandT) -> CommandT:
    """The option `--list`, which prints the configs that have a name, and exits."""
    return click.option(
        "--list",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_configs,
        help="List the names that -c takes, and exit.",
    )(command)


def _print_configs(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    # Most calls list nothing.
    from rich.table import Table

    from oumi.cli.tables import print_table

    table = Table("-c", "engine", "model", box=None, pad_edge=False)
    for name in config_names():
        config = InferenceConfig.from_yaml(name)
        table.add_row(name, str(config.engine), config.model.model_name)
    print_table(table)
    ctx.exit()
