"""`--log-level` and `--verbose`: what of the library's log reaches stderr."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import click

from oumi.core.configs import InferenceConfig
from oumi.core.configs.loading import to_text
from oumi.core.logs import logger
from oumi.core.printable import printable

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_LEVELS = ("debug", "info", "warning", "error", "critical")


def log_options(command: CommandT) -> CommandT:
    """The options `--log-level` and `--verbose`, which give a command the argument `verbose`."""
    level = click.option(
        "--log-level",
        "-log",
        type=click.Choice(_LEVELS, case_sensitive=False),
        is_eager=True,
        expose_value=False,
        callback=_set_level,
        help="Least severe messages to show; left out: warning.",
    )
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=_log_more,
        help="Show the settings, and log what is done.",
    )
    return level(verbose(command))


def show_settings(config: InferenceConfig) -> None:
    """Print all settings, without keys."""
    click.echo(printable(to_text(config.to_dict())), err=True)


def _set_level(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        logger.setLevel(value.upper())


def _log_more(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    if value and logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    return value
