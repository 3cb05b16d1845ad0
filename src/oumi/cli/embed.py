"""`oumi embed`: each text of a file becomes a vector."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli.file_run import EXIT_CODES, embed_file
from oumi.cli.log_options import log_options, show_settings
from oumi.cli.overrides import OverridableCommand, config_option
from oumi.cli.question import with_named_engine
from oumi.cli.ranked_settings import read_ranked
from oumi.cli.setting_names import ListsSettings
from oumi.cli.shortcuts import model_options
from oumi.cli.signals import sigterm_interrupts
from oumi.core.configs import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM

_EPILOG = """\b
  oumi embed texts.jsonl -o vectors.parquet          the column `text`
  oumi embed docs.csv --text_column body -o docs.parquet
  oumi embed -m text-embedding-3-small texts.jsonl --embedding.dimensions 256
  oumi embed -c run.yaml

\b
The output has the columns of the input, `embedding` and `error`. A run that was
interrupted goes on where it stopped when the same command is given again.

"""


class _EmbedCommand(ListsSettings, OverridableCommand):
    """Lists all settings in its help."""


@click.command(
    "embed",
    cls=_EmbedCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG + EXIT_CODES,
)
@click.argument("files", metavar="[FILE]...", nargs=-1, required=False)
@click.option(
    "-o", "--output", "output", metavar="FILE", help="Where to: .parquet, .jsonl, .csv or .tsv."
)
@model_options
@config_option()
@click.option("-q", "--quiet", is_flag=True, help="Show errors only, no progress, no summary.")
@log_options
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    output: str | None,
    path: Path | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Turn each text of a file into a vector."""
    config = read_ranked(ctx, path).merge(_paths(files, output))
    if verbose:
        show_settings(config)
    if config.input_path is None:
        raise click.UsageError("Nothing to embed: name a file; - is standard input.", ctx)
    if config.output_path is None:
        config = config.merge(InferenceConfig(output_path=STANDARD_STREAM))
    with sigterm_interrupts():
        return embed_file(with_named_engine(config, quiet=quiet), quiet=quiet)


def _paths(files: tuple[str, ...], output: str | None) -> InferenceConfig:
    """The settings that files and `-o` stand for."""
    given: dict[str, str | list[str]] = {}
    if files:
        given["input_path"] = files[0] if len(files) == 1 else list(files)
    if output is not None:
        given["output_path"] = output
    return InferenceConfig(**given)
