"""`oumi infer --list`: the configs of this package."""

from __future__ import annotations

import click
from rich.table import Table

from oumi.cli.tables import print_table
from oumi.core.configs import InferenceConfig
from oumi.core.configs.named import config_names


def print_configs(ctx: click.Context) -> None:
    """Print the name, engine and model of each, and exit."""
    table = Table("-c", "engine", "model", box=None, pad_edge=False)
    for name in config_names():
        config = InferenceConfig.from_yaml(name)
        table.add_row(name, str(config.engine), config.model.model_name)
    print_table(table)
    ctx.exit()
