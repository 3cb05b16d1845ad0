"""Which settings are secret: written to no file, and in no pickle."""

from __future__ import annotations

from typing import Any

from oumi.core.configs.headers import headers_without_keys
from oumi.core.configs.remote_params import RemoteParams
from oumi.core.urls import without_secrets


def inline_secrets(remote: RemoteParams | None) -> dict[str, Any]:
    """The fields that hold something secret, with their values: a key, headers where one may be a
    key, an address with a password or a query.
    """
    if remote is None:
        return {}
    secrets: dict[str, Any] = {}
    if remote.revealed_api_key is not None:
        secrets["api_key"] = remote.revealed_api_key
    urls = [remote.api_url] if isinstance(remote.api_url, str) else remote.api_url or []
    if urls != list(map(without_secrets, urls)):
        secrets["api_url"] = remote.api_url
    if headers_without_keys(remote.headers) != remote.headers:
        secrets["headers"] = dict(remote.headers)
    return secrets
