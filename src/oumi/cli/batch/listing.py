"""`oumi batch list`: the jobs that are known on this machine."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, NamedTuple

import click
from rich.table import Table

from oumi.batch.job_folder import JobFolder, all_folders
from oumi.batch.job_spec import JobKind
from oumi.batch.last_seen import last_seen
from oumi.cli.batch.description import job_facts
from oumi.cli.batch.jobs import open_methods
from oumi.cli.tables import print_table
from oumi.core.configs import InferenceConfig
from oumi.core.printable import printable, printable_line
from oumi.core.types.batch import BatchInfo
from oumi.errors import OumiError
from oumi.progress.formatting import format_dollars


class _ListedJob(NamedTuple):
    info: BatchInfo
    facts: dict[str, Any]
    """Model and cost."""
    note: str | None
    """Why the engine could not be asked; `info` is then as it was when last seen."""


@click.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="Show the newest N only.", metavar="N")
@click.option("--offline", is_flag=True, help="Ask nobody: show how far jobs were when last seen.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(limit: int | None, offline: bool, as_json: bool) -> int:
    """List the jobs of all engines that are known on this machine, the newest first."""
    jobs = [_look_up(folder, offline=offline) for folder in islice(all_folders(), limit)]
    if as_json:
        click.echo(json.dumps([_to_dict(job) for job in jobs], indent=2))
    elif jobs:
        _print_table(jobs)
    else:
        click.echo("no jobs yet: oumi batch submit makes one", err=True)
    return 0


def _look_up(folder: JobFolder, *, offline: bool) -> _ListedJob:
    """A job as it is now; where its engine cannot be asked, as it was when last seen.

    The files of a local job say all there is to know: asking its engine would load the model.
    """
    info, note = last_seen(folder), None
    if not (offline or info.is_terminal or folder.spec.kind == JobKind.LOCAL):
        try:
            with open_methods(folder.spec, InferenceConfig()) as jobs:
                info = jobs.get_batch_status(folder.id)
        except OumiError as error:
            note = str(error)
    return _ListedJob(info, job_facts(folder), note)


def _to_dict(job: _ListedJob) -> dict[str, Any]:
    return {**job.info.to_dict(), **job.facts, "note": job.note}


def _print_table(jobs: list[_ListedJob]) -> None:
    heads = ("job", "engine", "model", "status", "done", "failed", "cost", "submitted")
    table = Table(*heads, box=None, pad_edge=False)
    for job in jobs:
        table.add_row(*map(printable_line, _cells(job.info, job.facts)))
    print_table(table)
    for job in jobs:
        if job.note:
            note = f"{job.info.id}: as last seen, because {job.note}"
            click.echo(printable(note), err=True)


def _cells(info: BatchInfo, facts: dict[str, Any]) -> list[str]:
    cost = facts["cost_usd"]
    return [
        info.id,
        info.engine,
        facts["model"],
        info.status.value,
        f"{info.completed_requests:,}/{info.total_requests:,}",
        f"{info.failed_requests:,}",
        "" if cost is None else format_dollars(cost),
        f"{info.created_at.astimezone():%Y-%m-%d %H:%M}" if info.created_at else "",
    ]
