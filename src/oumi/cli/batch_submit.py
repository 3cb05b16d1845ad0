"""`oumi batch submit`: submit a file of conversations."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli.batch_jobs import warn
from oumi.cli.overrides import OverridableCommand, read_settings
from oumi.inference import build_engine

_EPILOG = """\b
Any setting is an option, named by its path, as for `oumi infer`:
  --input_path FILE        JSONL, one conversation a line; - is standard input
  --engine NAME            one of those that `oumi engines` lists
  --model.model_name NAME  the model that answers
  --remote_params.batch_completion_window 24h

\b
The same command again prints the id of the same job, and pays for nothing
twice. Without a batch API at the engine, the job is worked off on this machine.
"""


@click.command(
    "submit",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG,
)
@click.option(
    "-c", "--config", "path", metavar="FILE", type=click.Path(path_type=Path), help="YAML settings."
)
@click.pass_context
def command(ctx: click.Context, path: Path | None) -> int:
    """Submit a file of conversations, and print the job's id."""
    warn()
    config = read_settings(ctx, path)
    if config.input_path is None:
        raise click.UsageError("No conversations: give --input_path FILE (- is standard input).")
    with build_engine(config) as engine:
        click.echo(engine.infer_batch(None, config))
    return 0
