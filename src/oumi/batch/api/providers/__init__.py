"""The batch APIs of providers: one module for each family, named by the provider's row."""

from __future__ import annotations

import importlib

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.providers.base import BatchApi
from oumi.errors import UnsupportedError


def open_api(session: RemoteSession) -> BatchApi:
    """The batch API of a session's provider. Raises UnsupportedError where it has none."""
    limits = session.provider.batch
    if limits is None:
        raise UnsupportedError(f"{session.name} has no batch API")
    family = importlib.import_module(f"{__name__}.{limits.family}")
    api: BatchApi = family.open_api(ApiClient(session), session.name)
    return api
