"""`oumi batch status`: how far a job is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from oumi.batch.job_folder import find_folder
from oumi.cli.batch_facts import facts_of, shown
from oumi.cli.batch_jobs import job_command, reach, show


@job_command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(ctx: click.Context, batch_id: str, path: Path | None, as_json: bool) -> int:
    """Tell how far the job ID is."""
    with reach(ctx, path, batch_id) as (jobs, given):
        info = jobs.get_batch_status(batch_id, given)
    facts = facts_of(find_folder(batch_id))
    if as_json:
        click.echo(json.dumps({**info.to_dict(), **facts}, indent=2))
    else:
        click.echo(show(info, shown(facts)))
    return 0
