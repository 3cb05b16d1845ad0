"""`oumi batch list`: the jobs that are known on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from oumi.batch.job_folder import JobFolder, all_folders
from oumi.batch.last_seen import last_seen
from oumi.batch.local.service import KIND as LOCAL
from oumi.cli.batch_facts import facts_of
from oumi.cli.batch_jobs import reach_job, warn
from oumi.cli.display import dollars
from oumi.core.configs import InferenceConfig
from oumi.core.types.batch import BatchInfo
from oumi.errors import OumiError

_PLAIN_WIDTH = 200


@click.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="Show the newest N only.", metavar="N")
@click.option("--offline", is_flag=True, help="Ask nobody: show how far jobs were when last seen.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(limit: int | None, offline: bool, as_json: bool) -> int:
    """List the jobs of all engines that are known on this machine, the newest first."""
    warn()
    jobs = [_look(folder, offline=offline) for folder in _newest(limit)]
    if as_json:
        click.echo(json.dumps([{**info.to_dict(), **facts} for info, facts in jobs], indent=2))
    elif jobs:
        _print_table(jobs)
    else:
        click.echo("no jobs yet: oumi batch submit makes one", err=True)
    return 0


def _newest(limit: int | None) -> Iterator[JobFolder]:
    for number, folder in enumerate(all_folders()):
        if limit is not None and number >= limit:
            return
        yield folder


def _look(folder: JobFolder, *, offline: bool) -> tuple[BatchInfo, dict[str, Any]]:
    """A job as it is now; where nobody can be asked, as it was when last seen.

    To look at all jobs of this machine is no reason to load all their models.
    """
    info, note = last_seen(folder), None
    if not (offline or info.is_terminal or folder.spec.kind == LOCAL):
        try:
            with reach_job(folder.spec, InferenceConfig()) as jobs:
                info = jobs.get_batch_status(folder.id)
        except OumiError as error:
            note = str(error)
    return info, {**facts_of(folder), "note": note}


def _print_table(jobs: list[tuple[BatchInfo, dict[str, Any]]]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    heads = ("job", "engine", "model", "status", "done", "failed", "cost", "submitted")
    table = Table(*heads, box=None, pad_edge=False)
    for info, facts in jobs:
        table.add_row(*_cells(info, facts))
    console.print(table, highlight=False, markup=False)
    for info, facts in jobs:
        if facts["note"]:
            click.echo(f"{info.id}: as last seen, because {facts['note']}", err=True)


def _cells(info: BatchInfo, facts: dict[str, Any]) -> list[str]:
    cost = facts["cost_usd"]
    return [
        info.id,
        info.engine,
        facts["model"],
        info.status.value,
        f"{info.completed_requests:,}/{info.total_requests:,}",
        f"{info.failed_requests:,}",
        "" if cost is None else dollars(cost),
        f"{info.created_at.astimezone():%Y-%m-%d %H:%M}" if info.created_at else "",
    ]
