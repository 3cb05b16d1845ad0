"""The vectors of a job whose rows are embedded."""

from __future__ import annotations

from collections.abc import Iterator

from oumi.batch.job_folder import find_folder
from oumi.batch.local.state import read_snapshot, read_state
from oumi.core.types.embedding import Embedding
from oumi.core.types.failure import Failure
from oumi.errors import InputError


def read_embeddings(batch_id: str) -> Iterator[Embedding | Failure]:
    """What became of each row of a job, in input order, read as it is looked at.

    Raises InputError for an id of no such job, and StorageError.
    """
    folder = find_folder(batch_id)
    if folder is None or not folder.spec.embeds:
        raise InputError(f"no job of embeddings {batch_id!r} on this machine")
    state = read_state(folder)
    snapshot = read_snapshot(folder, state)
    for row in range(state.total):
        record = snapshot.read(row)
        if "embedding" in record:
            yield Embedding.from_dict(record["embedding"])
        else:
            yield Failure.from_dict(record["failure"])
