"""`oumi merge`: the parts of a run become one output."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli.overrides import OverridableCommand, config_option, read_settings
from oumi.core.printable import printable
from oumi.errors import InferenceError
from oumi.inference import build_engine
from oumi.runner.parts.merge import merge_parts

_EPILOG = """\b
  oumi infer -c run.yaml --part 1/3       on any machine, in any order
  oumi infer -c run.yaml --part 2/3
  oumi infer -c run.yaml --part 3/3
  oumi merge -c run.yaml                  once all are done

\b
Exit codes: 0 all done; 2 a part lacks rows; 6 some rows failed.
"""


@click.command(
    "merge",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_EPILOG,
)
@config_option()
@click.pass_context
def command(ctx: click.Context, path: Path | None) -> int:
    """Write the output of a run whose parts were asked apart (--part). Nothing is asked.

    The settings are those of the parts; a model on this machine is loaded, as its files are part of
    what is compared.
    """
    config = read_settings(ctx, path)
    with build_engine(config) as engine:
        result = merge_parts(engine.session(config))
    failed = f", {len(result.failures):,} failed" if result.has_failures else ""
    click.echo(printable(f"{config.output_path}: {len(result.rows):,} rows done{failed}"), err=True)
    return InferenceError.exit_code if result.has_failures else 0
