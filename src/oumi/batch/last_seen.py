"""The last known status of a job, without a request to its provider."""

from __future__ import annotations

from oumi.batch.api import service
from oumi.batch.api.job_state import job_info
from oumi.batch.api.state_file import load_state
from oumi.batch.job_folder import JobFolder
from oumi.batch.local.service import read_info
from oumi.core.types.batch import BatchInfo


def last_seen(folder: JobFolder) -> BatchInfo:
    """The status by what the job's folder holds."""
    if folder.spec.kind == service.KIND:
        return job_info(folder, load_state(folder))
    return read_info(folder)
