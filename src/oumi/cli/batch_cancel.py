"""`oumi batch cancel`: stop a job."""

from __future__ import annotations

from pathlib import Path

import click

from oumi.batch.job_folder import find_folder
from oumi.cli.batch_facts import facts_of, shown
from oumi.cli.batch_jobs import job_command, reach, show


@job_command("cancel")
def command(ctx: click.Context, batch_id: str, path: Path | None) -> int:
    """Stop the job ID. What is answered by then can still be collected."""
    with reach(ctx, path, batch_id) as (jobs, given):
        info = jobs.cancel_batch(batch_id, given)
    click.echo(show(info, shown(facts_of(find_folder(batch_id)))))
    return 0
