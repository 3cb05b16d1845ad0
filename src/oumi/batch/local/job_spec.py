"""What a job on this machine is to do, and what of that is never written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from oumi.backends.base import Backend
from oumi.backends.registry import find_engine
from oumi.backends.remote.address import key_hint
from oumi.batch.job_spec import (
    JobSpec,
    count_rows,
    identity_without_keys,
    settings_without_keys,
    spec_of,
)
from oumi.batch.local.state import window_s
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.data.source import Source
from oumi.errors import AccessError

KIND = "local"

Secrets = Mapping[str, Any]
"""Fields of remote_params that are not to be written down."""


def make_intent(backend: Backend, source: Source, config: InferenceConfig) -> JobSpec:
    """What is to be done. Reads the input and checks it; raises what is wrong with it."""
    window_s(config)
    rows = count_rows(source, config)
    return replace(
        spec_of(backend.session(config), KIND, source.fingerprint(), rows),
        cwd=os.getcwd(),
        has_secrets=backend.row.provider is not None and bool(find_secrets(config)),
    )


def pin_address(backend: Backend, config: InferenceConfig) -> InferenceConfig:
    """The settings with the address that the environment names at this moment."""
    provider = backend.row.provider
    url = os.environ.get(provider.url_env or "") if provider else None
    if not url or (config.remote_params and config.remote_params.api_url):
        return config
    return InferenceConfig(remote_params=RemoteParams(api_url=url)).merge(config)


def is_identity(backend: Backend, config: InferenceConfig, intent: JobSpec) -> bool:
    """Whether an engine asks the model at the address that a job is about."""
    own = identity_without_keys(backend.session(config).identity)
    return bool(orjson.loads(orjson.dumps(own)) == intent.identity)


def find_secrets(config: InferenceConfig) -> Secrets:
    """What is not to be written down: the key, and an address with a password in it."""
    remote = config.remote_params
    if remote is None:
        return {}
    secrets: dict[str, Any] = {}
    if remote.api_key is not None:
        secrets["api_key"] = remote.api_key.get_secret_value()
    written = settings_without_keys(config).get("remote_params") or {}
    if written.get("api_url") != remote.api_url:
        secrets["api_url"] = remote.api_url
    return secrets


def check_secrets(intent: JobSpec, secrets: Secrets) -> None:
    """Raise AccessError where a key was given inline, and there is none now."""
    if not intent.has_secrets or secrets:
        return
    remote = intent.config.remote_params or RemoteParams()
    provider = find_engine(intent.engine).provider
    if provider is None:
        return
    named = remote.api_key_env_varname
    if not any(os.environ.get(name) for name in ((named,) if named else provider.key_env)):
        raise AccessError(
            "the job was submitted with a key in its settings, which is not saved. To go on with "
            f"it, set {key_hint(provider, remote)}"
        )
