"""How far a job was when anybody last looked, without asking anybody."""

from __future__ import annotations

from oumi.core.types.batch import BatchInfo
from oumi.inference.batch import api_batches
from oumi.inference.batch.folder import JobFolder
from oumi.inference.batch.local.jobs import look
from oumi.inference.batch.state import State, describe


def last_seen(folder: JobFolder) -> BatchInfo:
    """The job by what its folder holds."""
    if folder.intent.kind == api_batches.KIND:
        return describe(folder, State.load(folder))
    return look(folder)
