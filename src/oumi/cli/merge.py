"""`oumi merge`: the parts of a run become one output."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli.overrides import OverridableCommand, config_option, read_settings
from oumi.core.printable import printable
from oumi.core.urls import mask_url
from oumi.errors import InferenceError
from oumi.inference import build_engine
from oumi.runner.parts.merge import merge_parts

_EPILOG = """\b
  oumi infer -c run.yaml --part 1/3       on any machine, in any order
  oumi infer -c run.yaml --part 2/3
  oumi infer -c run.yaml --part 3/3
  oumi merge -c run.yaml                  once all are done

\b
  oumi merge -c run.yaml --to all.jsonl   parts of a bucket (output_path: s3://…) to this machine

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
@click.option("--to", metavar="PATH", help="Where the output goes, in place of output_path.")
@click.pass_context
def command(ctx: click.Context, path: Path | None, to: str | None) -> int:
    """Write the output of a run whose parts were asked apart (--part). Nothing is asked.

    The settings are those of the parts; a model on this machine is loaded, as its files are part of
    what is compared.
    """
    config = read_settings(ctx, path)
    parts_of = config.output_path
    if to is not None:
        config = config.model_copy(update={"output_path": to})
    with build_engine(config) as engine:
        result = merge_parts(engine.session(config), parts_of)
    failed = f", {len(result.failures):,} failed" if result.has_failures else ""
    place = mask_url(str(config.output_path))
    click.echo(printable(f"{place}: {len(result.rows):,} rows done{failed}"), err=True)
    return InferenceError.exit_code if result.has_failures else 0
