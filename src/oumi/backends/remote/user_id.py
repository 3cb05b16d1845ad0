"""`remote_params.user_id`: whom a request is for, in the field that the API has for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from oumi.backends.provider import Provider
from oumi.core.configs import RemoteParams
from oumi.errors import UnsupportedError


def check_user_id(provider: Provider, remote: RemoteParams | None) -> None:
    """Raise UnsupportedError where a user is named to an API without a field for that."""
    if remote is None or remote.user_id is None or provider.user_field is not None:
        return
    # By its name: the registry knows all engines, which themselves know nothing of each other.
    rows = import_module("oumi.backends.registry").engine_rows()
    able = [row.name for row in rows if row.provider is not None and row.provider.user_field]
    raise UnsupportedError(
        f"{provider.name} cannot honour remote_params.user_id; engines that can: {', '.join(able)}"
    )


def with_user_id(
    body: Mapping[str, Any], provider: Provider, user_id: str | None
) -> dict[str, Any]:
    """The shared fields of all bodies with the user's, unless `model_kwargs` set it."""
    if user_id is None or provider.user_field is None:
        return dict(body)
    outer, _, inner = provider.user_field.partition(".")
    value = {inner: user_id, **(body.get(outer) or {})} if inner else body.get(outer, user_id)
    return {**body, outer: value}
