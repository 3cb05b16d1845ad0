"""`oumi serve`: models behind the HTTP APIs that every client speaks."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oumi.cli.extras import require_serve
from oumi.cli.log_options import log_options, show_settings
from oumi.cli.overrides import OverridableCommand, config_option, given_overrides
from oumi.cli.shortcuts import model_options
from oumi.cli.signals import SigtermInterrupt, sigterm_interrupts
from oumi.core.printable import printable
from oumi.errors import ConfigError

if TYPE_CHECKING:
    from oumi.server.key_settings import KeySettings
    from oumi.server.models import ServedModel
    from oumi.server.options import ServeOptions

_EPILOG = """\b
Any setting is an option, as for `oumi infer`:
  oumi serve                    the model in this package
  oumi serve -m qwen.gguf       a model on this machine
  oumi serve -m gpt-4o          one behind an API
  oumi serve -c run.yaml        whatever a config names, or several models and keys:
                                models: {fast: {…}, big: {…}}
                                keys: {alice: {key: …, requests_per_minute: 60}}

\b
SIGTERM and Ctrl-C: nothing new is taken, what is in flight is answered.
Keys of clients may stand in OUMI_API_KEYS too: "name:key, other:key".
"""


@click.command(
    "serve",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG,
)
@model_options
@config_option("YAML settings: of one model, or of several under `models`.")
@click.option("--host", default="127.0.0.1", help="The address to listen on.  [127.0.0.1]")
@click.option("--port", default=8000, type=click.IntRange(0, 65535), help="0: any.  [8000]")
@click.option(
    "--api_key",
    "--api-key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="A key that clients have to send, or name:key. May be given again.",
)
@click.option(
    "--most-waiting",
    default=256,
    type=click.IntRange(0),
    help="Requests that may wait for each model; others get status 429.  [256]",
)
@click.option(
    "--drain-s",
    default=30.0,
    type=click.FloatRange(0),
    help="Seconds for what is in flight, when the server stops.  [30]",
)
@click.option(
    "--cors",
    metavar="ORIGIN",
    multiple=True,
    help="An origin of web pages that may ask, such as https://app.example. May be given again.",
)
@log_options
@click.pass_context
def command(
    ctx: click.Context,
    path: Path | None,
    host: str,
    port: int,
    keys: tuple[str, ...],
    most_waiting: int,
    drain_s: float,
    cors: tuple[str, ...],
    verbose: bool,
) -> int:
    """Serve models over HTTP, as the APIs of OpenAI and Anthropic."""
    require_serve("oumi serve")
    from oumi.server.http.api_keys import ApiKeys
    from oumi.server.options import ServeOptions

    models, key_settings = _read_file(ctx, path)
    options = ServeOptions(
        host=host,
        port=port,
        keys=ApiKeys.parse(_words(keys), key_settings),
        key_settings=key_settings,
        most_waiting=most_waiting,
        drain_s=drain_s,
        cors=cors,
    )
    if verbose:
        for config in models.values():
            show_settings(config)
    with sigterm_interrupts():
        return _serve(models, options)


def _serve(models: dict[str, ServedModel], options: ServeOptions) -> int:
    """Serve until a signal. Returns the exit code: 0 once all that was in flight has ended."""
    from oumi.server.models import ModelTable
    from oumi.server.running import serve

    with ModelTable(models, options.most_waiting) as table:
        try:
            serve(table, options, lambda address: _say_ready(address, list(models), options))
        except (SigtermInterrupt, KeyboardInterrupt):
            click.echo("stopped", err=True)
    return 0


def _say_ready(address: str, names: Sequence[str], options: ServeOptions) -> None:
    """Where it is, and what a client has to be set to. The first line is for programs too."""
    key = "one of the server's keys" if options.keys else "any text"
    lines = [
        f"ready: {address}",
        f"  models: {', '.join(names)}",
        f"  OpenAI clients: OPENAI_BASE_URL={address}/v1, OPENAI_API_KEY={key}",
        f"  Anthropic clients: ANTHROPIC_BASE_URL={address}, ANTHROPIC_API_KEY={key}",
    ]
    click.echo(printable("\n".join(lines)), err=True)


def _read_file(
    ctx: click.Context, path: Path | None
) -> tuple[dict[str, ServedModel], dict[str, KeySettings]]:
    """The models and the keys by name: those of a file of several, or the model of the settings."""
    from oumi.core.configs import loading
    from oumi.core.configs.named import find_config
    from oumi.server.models import ServedModel, ServedModels, ServedWithKeys, name_of

    at = None if path is None else find_config(path)
    if at is not None and loading.has_group(at, "models"):
        if given_overrides(ctx):
            raise ConfigError(f"{path} is of several models: write their settings into it")
        several = loading.load(ServedModels, at, ())
        return several.models, several.keys
    config = loading.load(ServedWithKeys, at, given_overrides(ctx))
    names = config.model_fields_set - {"keys"}
    served = ServedModel(**{name: getattr(config, name) for name in names})
    return {name_of(config): served}, config.keys


def _words(keys: Sequence[str]) -> list[str]:
    """The keys of the command line, and those of the environment."""
    from oumi.server.http.api_keys import VARIABLE

    return [*keys, *filter(None, re.split(r"[,\s]+", os.environ.get(VARIABLE, "")))]
