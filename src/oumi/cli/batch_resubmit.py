"""`oumi batch resubmit`: submit again what a job has no answers to."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.cli.batch_jobs import job_command, reach


@job_command("resubmit")
def command(ctx: click.Context, batch_id: str, path: Path | None) -> int:
    """Submit again what the job ID, which has ended, has no answers to, and print the
    job's id.
    """
    with reach(ctx, path, batch_id) as (jobs, given):
        click.echo(jobs.resubmit_batch(batch_id, given))
    return 0
