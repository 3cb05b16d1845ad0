"""How far a job was when anybody last looked, without asking anybody."""

from __future__ import annotations

from oumi.batch.api import service
from oumi.batch.api.state import State, describe
from oumi.batch.job_folder import JobFolder
from oumi.batch.local.service import look
from oumi.core.types.batch import BatchInfo


def last_seen(folder: JobFolder) -> BatchInfo:
    """The job by what its folder holds."""
    if folder.intent.kind == service.KIND:
        return describe(folder, State.load(folder))
    return look(folder)
