"""`batch: true` and `batch: auto`: which runs have a batch job answer their rows."""

from __future__ import annotations

from oumi.backends.base import Backend
from oumi.backends.registry import engine_rows
from oumi.backends.remote.backend import RemoteBackend
from oumi.batch.api.phase import ApiBatchPhase
from oumi.errors import UnsupportedError
from oumi.runner.batch_phase import BatchPhase
from oumi.runner.session import Session


def open_phase(backend: Backend, session: Session) -> BatchPhase | None:
    """What answers the rows of a run by a batch job; None where `auto` finds no batch API.

    Raises UnsupportedError where the settings ask for one that is not there.
    """
    is_auto = session.config.batch == "auto"
    if isinstance(backend, RemoteBackend) and backend.provider.batch is not None:
        return ApiBatchPhase(backend, session.config, is_auto=is_auto)
    if is_auto:
        return None
    able = [row.name for row in engine_rows() if row.provider and row.provider.batch]
    raise UnsupportedError(
        f"{backend.name} has no batch API, which `batch: true` asks for; engines that have one: "
        f"{', '.join(able)}. `oumi batch submit` works on a job without one"
    )
