"""The state of a job at an API on disk: `state.json` in the job's folder.

    {"version": 2, "ids": [...], "shards": [...], "attempt": 1, ...}

`ids` holds the provider's ids of all batches, by which a job is found. Version 1 had no `version`,
called the shards `parts`, and wrote down a shard's state as five facts; it is still read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from oumi.batch.api.job_state import JobState
from oumi.batch.api.shard import Shard, ShardState
from oumi.batch.job_folder import JobFolder
from oumi.core.types.batch import BatchInfo
from oumi.errors import StorageError

_VERSION = 2


def load_state(folder: JobFolder) -> JobState:
    """What the folder holds; empty before the job is prepared. Raises StorageError."""
    values = folder.read_state()
    version = values.pop("version", 1)
    if version not in (1, _VERSION):
        raise StorageError(f"{folder.state_path}: version {version} is of a newer oumi")
    try:
        return _read_version_1(values, folder) if version == 1 else _read(values)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise StorageError(f"{folder.state_path}: damaged: {error!r}") from error


def save_state(folder: JobFolder, state: JobState) -> None:
    """Write all of it. To be called with the job's lock held."""
    ids = [batch_id for shard in state.shards for batch_id in shard.ids]
    shards = [_shard_to_dict(shard) for shard in state.shards]
    folder.write_state({"version": _VERSION, "ids": ids, **_values_of(state), "shards": shards})


def state_of_version_1(part: Mapping[str, Any]) -> ShardState:
    """The state of a shard by the facts that version 1 wrote down of it:

    `stopped`: cancelled before it was submitted. `refused`: the provider's queue was full. `begun`:
    the call that starts a batch may have been made. `told`: what the provider last reported.
    `collected`: its results are here.
    """
    if part.get("stopped"):
        return ShardState.CANCELLED_UNSENT
    if part.get("refused") or not part.get("ids"):
        return ShardState.CREATING if part.get("begun") else ShardState.QUEUED
    info = part.get("told")
    if not info or not BatchInfo.from_dict(info).is_terminal:
        return ShardState.RUNNING  # even if `collected`: from then on there may be more results
    return ShardState.COLLECTED if part.get("collected") else ShardState.ENDED


def _read(values: dict[str, Any]) -> JobState:
    del values["ids"]
    return JobState(**{**values, "shards": [_shard_of(shard) for shard in values["shards"]]})


def _read_version_1(values: Mapping[str, Any], folder: JobFolder) -> JobState:
    return JobState(
        shards=[_shard_of_version_1(part, folder) for part in values.get("parts", ())],
        attempt=values.get("attempt", 0),
        answered=values.get("answered", 0),
        unsent=values.get("unsent", 0),
        cancelled=values.get("cancelled", False),
        queue_full_s=values.get("refused_s"),
        ended_when_full=values.get("ended_then", 0),
    )


def _shard_of_version_1(part: Mapping[str, Any], folder: JobFolder) -> Shard:
    return _shard_of(
        {
            "tag": part["tag"],
            "first": part["first"],
            "last": part["last"],
            "requests": part["requests"],
            "attempt": part.get("attempt", 1),
            "state": state_of_version_1(part),
            "is_adopted": part["tag"] == folder.spec.adopted_id,
            "upload": part.get("upload", ""),
            "ids": part.get("ids", []),
            "info": part.get("told"),
            "rejections": part.get("refusals", 0),
            "answers": part.get("answers"),
            "failures": part.get("failures", 0),
        }
    )


def _shard_of(values: Mapping[str, Any]) -> Shard:
    info = values["info"]
    return Shard(
        **{
            **values,
            "state": ShardState(values["state"]),
            "info": BatchInfo.from_dict(info) if info else None,
        }
    )


def _shard_to_dict(shard: Shard) -> dict[str, Any]:
    return {**_values_of(shard), "info": shard.info.to_dict() if shard.info else None}


def _values_of(value: JobState | Shard) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
