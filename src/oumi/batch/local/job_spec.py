"""The spec of a job on this machine, and the secrets that are left out of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from oumi.backends.registry import ROWS
from oumi.backends.remote.address import key_hint
from oumi.backends.remote.providers import BY_ENGINE
from oumi.batch.job_spec import (
    JobSpec,
    count_rows,
    identity_without_keys,
    new_job_spec,
    settings_without_keys,
)
from oumi.batch.local.state import window_s
from oumi.core.configs import InferenceConfig, InferenceEngineType, RemoteParams
from oumi.data.sources import Source
from oumi.errors import AccessError, UnsupportedError
from oumi.runner.run import Answerer

KIND = "local"

Secrets = Mapping[str, Any]
"""Fields of remote_params that are never written to disk."""


def make_spec(engine: Answerer, source: Source, config: InferenceConfig) -> JobSpec:
    """The spec of a new job. Reads the input and checks it.

    Raises UnsupportedError for an engine that a worker process cannot make, ConfigError for a
    wrong window, and InputError for an input without rows.
    """
    _check_engine(engine)
    window_s(config)
    rows = count_rows(source, config)
    spec = new_job_spec(
        engine.name,
        engine.identity(config),
        config,
        kind=KIND,
        fingerprint=source.fingerprint(),
        rows=rows,
    )
    return replace(
        spec,
        cwd=os.getcwd(),
        has_secrets=engine.name in BY_ENGINE and bool(find_secrets(config)),
    )


def pin_address(engine: Answerer, config: InferenceConfig) -> InferenceConfig:
    """The settings with the address that the environment names now, which may change later."""
    provider = BY_ENGINE.get(InferenceEngineType(engine.name))
    url = os.environ.get(provider.url_env or "") if provider else None
    if not url or (config.remote_params and config.remote_params.api_url):
        return config
    return InferenceConfig(remote_params=RemoteParams(api_url=url)).merge(config)


def is_same_model(engine: Answerer, config: InferenceConfig, spec: JobSpec) -> bool:
    """Whether an engine asks the model of a job, at the address of the job."""
    own = identity_without_keys(engine.identity(config))
    return bool(orjson.loads(orjson.dumps(own)) == spec.identity)


def find_secrets(config: InferenceConfig) -> Secrets:
    """The key, and an address with a password in it."""
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


def check_secrets(spec: JobSpec, secrets: Secrets) -> None:
    """Raise AccessError where a key was given inline for the job, and none can be found now."""
    if not spec.has_secrets or secrets:
        return
    remote = spec.config.remote_params or RemoteParams()
    provider = BY_ENGINE[InferenceEngineType(spec.engine)]
    named = remote.api_key_env_varname
    if not any(os.environ.get(name) for name in ((named,) if named else provider.key_env)):
        raise AccessError(
            "the job was submitted with a key in its settings, which is not saved. To go on with "
            f"it, set {key_hint(provider, remote)}"
        )


def _check_engine(engine: Answerer) -> None:
    if ROWS[InferenceEngineType(engine.name)].load_class() is not type(engine):
        raise UnsupportedError(
            f"{type(engine).__name__}: a job's own process can only make the engines of "
            "oumi.inference"
        )
