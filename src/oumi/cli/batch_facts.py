"""What is known of a job beside how far it is: its model, and what its answers cost."""

from __future__ import annotations

from typing import Any

import orjson

from oumi.batch.job_folder import JobFolder
from oumi.cli.display import dollars


def cost_usd(folder: JobFolder) -> float | None:
    """Dollars for the answers that were collected, at batch prices; None where not known."""
    try:
        facts = orjson.loads(folder.output.run_path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    cost: float | None = facts.get("cost_usd")
    return cost


def facts_of(folder: JobFolder | None) -> dict[str, Any]:
    """The model and the cost of a job that is known here."""
    if folder is None:
        return {}
    return {"model": folder.spec.config.model.model_name, "cost_usd": cost_usd(folder)}


def shown(facts: dict[str, Any]) -> dict[str, Any]:
    """The same in words."""
    cost = facts.get("cost_usd")
    return {
        "model": facts.get("model"),
        "cost": None if cost is None else f"{dollars(cost)} for the answers collected",
    }
