"""The commands of `oumi batch` that work on one job."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from oumi.batch.job_folder import find_folder
from oumi.cli.batch.description import describe_job, describe_progress, job_facts
from oumi.cli.batch.jobs import job_command, open_job
from oumi.cli.overrides import OverridableCommand, config_option
from oumi.cli.ranked_settings import read_ranked
from oumi.cli.shortcuts import shortcut_options
from oumi.core.printable import printable, printable_json, printable_line
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import InferenceResult
from oumi.errors import InferenceError
from oumi.inference import build_engine

_REASONS_SHOWN = 3

_SUBMIT_HELP = """\b
Any setting is an option, named by its path, as for `oumi infer`:
  --input_path FILE        JSONL, one conversation a line; - is standard input
  --remote_params.batch_completion_window 24h

\b
The same command again prints the id of the same job, and pays for nothing
twice, unless --resubmit is given. Without a batch API at the engine, the job
is worked off on this machine.
"""

_WAIT_HELP = """\b
Exit codes: 0 completed; 6 failed, expired or cancelled; 4 not ended in time;
others as for all commands. Ctrl-C ends the wait, and not the job.
"""

_RESULTS_HELP = """\b
  --output_path FILE       where the answers go; left out: standard output
  --overwrite              replace a file that is not of this job

\b
Of a job that has not ended, what there is by now. Exit codes: 0 all rows are
answered; 6 some are not, and stderr says why; others as for all commands.
"""


@click.command(
    "submit",
    cls=OverridableCommand,
    options_metavar="[OPTIONS] [--SETTING VALUE]...",
    epilog=_SUBMIT_HELP,
)
@shortcut_options
@config_option()
@click.option(
    "--resubmit",
    is_flag=True,
    help="Submit all of it once more, and pay once more, as a job of its own.",
)
@click.pass_context
def submit(ctx: click.Context, path: Path | None, resubmit: bool) -> int:
    """Submit a file of conversations, and print the job's id."""
    config = read_ranked(ctx, path)
    if config.input_path is None:
        raise click.UsageError("No conversations: give --input_path FILE (- is standard input).")
    with build_engine(config) as engine:
        click.echo(printable_line(engine.infer_batch(None, config, resubmit=resubmit)))
    return 0


@job_command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(ctx: click.Context, batch_id: str, path: Path | None, as_json: bool) -> int:
    """Tell how far the job ID is."""
    with open_job(ctx, path, batch_id) as (jobs, given):
        info = jobs.get_batch_status(batch_id, given)
    folder = find_folder(batch_id)
    if as_json:
        click.echo(json.dumps({**info.to_dict(), **job_facts(folder)}, indent=2))
    else:
        click.echo(describe_job(info, folder))
    return 0


@job_command("wait", epilog=_WAIT_HELP)
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to ask.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait; left out: until the job ends.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
def wait(
    ctx: click.Context,
    batch_id: str,
    path: Path | None,
    every_s: float,
    timeout_s: float | None,
    quiet: bool,
) -> int:
    """Wait until the job ID has ended."""
    with open_job(ctx, path, batch_id) as (jobs, given):
        info = jobs.wait_for_batch(
            batch_id,
            given,
            poll_interval_s=every_s,
            timeout_s=timeout_s,
            on_status=None if quiet else _StatusPrinter(),
        )
    return 0 if info.status == BatchStatus.COMPLETED else InferenceError.exit_code


@job_command("results", epilog=_RESULTS_HELP)
def results(ctx: click.Context, batch_id: str, path: Path | None) -> int:
    """Print or save the answers of the job ID, in the order of its input."""
    with open_job(ctx, path, batch_id) as (jobs, given):
        output = None if given.output_path == "-" else given.output_path
        given = given.model_copy(update={"output_path": output})
        result = jobs.get_batch_results_partial(batch_id, None, given)
        if output is None:
            for conversation in result.conversations:
                line = conversation.to_json()
                click.echo(printable_json(line) if sys.stdout.isatty() else line)
        for line in _summarize(result, output):
            click.echo(printable(line), err=True)
    return InferenceError.exit_code if result.has_failures else 0


@job_command("cancel")
def cancel(ctx: click.Context, batch_id: str, path: Path | None) -> int:
    """Stop the job ID. What is answered by then can still be collected."""
    with open_job(ctx, path, batch_id) as (jobs, given):
        info = jobs.cancel_batch(batch_id, given)
    click.echo(describe_job(info, find_folder(batch_id)))
    return 0


@job_command("resubmit")
def resubmit(ctx: click.Context, batch_id: str, path: Path | None) -> int:
    """Submit again what the job ID, which has ended, has no answers to, and print the
    job's id.
    """
    with open_job(ctx, path, batch_id) as (jobs, given):
        click.echo(printable_line(jobs.resubmit_batch(batch_id, given)))
    return 0


class _StatusPrinter:
    """Prints the progress of a job each time that it has changed."""

    def __init__(self) -> None:
        self._printed = ""

    def __call__(self, info: BatchInfo) -> None:
        text = f"{info.status} ({info.provider_status}): {describe_progress(info)}"
        if text != self._printed:
            self._printed = text
            click.echo(printable_line(text), err=True)


def _summarize(result: InferenceResult, output: str | None) -> Iterator[str]:
    failed = len(result.failures)
    where = f" in {output}" if output else ""
    yield f"{len(result.rows):,} answers{where}, {failed:,} rows without one"
    for row, failure in islice(result.failures.items(), _REASONS_SHOWN):
        yield f"  row {row}: {failure.error_class}: {failure.error_message}"
    if failed > _REASONS_SHOWN:
        yield f"  … and {failed - _REASONS_SHOWN:,} more"
