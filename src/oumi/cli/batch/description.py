"""A job in lines of text: its progress, its model, and what its answers cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from oumi.batch.job_folder import JobFolder
from oumi.core.printable import printable, printable_line
from oumi.core.types.batch import BatchInfo
from oumi.progress.formatting import format_dollars
from oumi.runner.storage.run_summary import RunSummary


def job_facts(folder: JobFolder | None) -> dict[str, Any]:
    """Model and cost of a job, as JSON-ready values; empty for a job that is not known here."""
    if folder is None:
        return {}
    return {"model": folder.spec.config.model.model_name, "cost_usd": _cost_usd(folder)}


def describe_job(info: BatchInfo, folder: JobFolder | None) -> str:
    """One fact a line."""
    facts = job_facts(folder)
    cost = facts.get("cost_usd")
    lines = {
        "job": info.id,
        "engine": info.engine,
        "status": f"{info.status} ({info.provider_status})",
        "requests": describe_progress(info),
        "parts": f"{info.parts}" if info.parts > 1 else None,
        "submitted": _local_time(info.created_at),
        "ended": _local_time(info.completed_at),
        "expires": None if info.is_terminal else _local_time(info.expires_at),
        "model": facts.get("model"),
        "cost": None if cost is None else f"{format_dollars(cost)} for the answers collected",
    }
    described = [f"{name:<10} {printable_line(text)}" for name, text in lines.items() if text]
    if info.errors:
        described.append(f"{'errors':<10} " + "\n           ".join(map(printable, info.errors)))
    return "\n".join(described)


def describe_progress(info: BatchInfo) -> str:
    """How many requests are done, and how many failed."""
    done = f"{info.completed_requests:,} of {info.total_requests:,} done"
    return f"{done}, {info.failed_requests:,} failed"


def _cost_usd(folder: JobFolder) -> float | None:
    """Dollars for the answers that were collected, at batch prices; None where not known."""
    summary = RunSummary.read(folder.output.run_path)
    return summary.cost_usd if summary else None


def _local_time(time: datetime | None) -> str | None:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if time else None
