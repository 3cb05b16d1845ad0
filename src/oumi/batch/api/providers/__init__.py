"""The batch APIs of providers: one module for each family, named by the provider's row."""

from __future__ import annotations

import importlib

from oumi.backends.remote.http.api_client import ApiClient
from oumi.batch.api.providers.base import BatchApi


def open_api(family: str, client: ApiClient, engine: str) -> BatchApi:
    """The batch API of a family, called through a client; `engine` is named in its errors."""
    api: BatchApi = importlib.import_module(f"{__name__}.{family}").open_api(client, engine)
    return api
