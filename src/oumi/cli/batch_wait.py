"""`oumi batch wait`: wait until a job has ended."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli.batch_jobs import job_command, reach
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.errors import InferenceError

_EPILOG = """\b
Exit codes: 0 completed; 6 failed, expired or cancelled; 4 not ended in time;
others as for all commands. Ctrl-C ends the wait, and not the job.
"""


@job_command("wait", epilog=_EPILOG)
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
def command(
    ctx: click.Context,
    batch_id: str,
    path: Path | None,
    every_s: float,
    timeout_s: float | None,
    quiet: bool,
) -> int:
    """Wait until the job ID has ended."""
    with reach(ctx, path, batch_id) as (jobs, given):
        info = jobs.wait_for_batch(
            batch_id,
            given,
            poll_interval_s=every_s,
            timeout_s=timeout_s,
            on_status=None if quiet else _Teller(),
        )
    return 0 if info.status == BatchStatus.COMPLETED else InferenceError.exit_code


class _Teller:
    """Says how far a job is, each time that it has moved."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, info: BatchInfo) -> None:
        text = (
            f"{info.status} ({info.provider_status}): {info.completed_requests:,} of "
            f"{info.total_requests:,} done, {info.failed_requests:,} failed"
        )
        if text != self._said:
            self._said = text
            click.echo(text, err=True)
