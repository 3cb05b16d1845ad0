"""The spec of a job on this machine, and the secrets that are left out of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from oumi.backends.base import Backend
from oumi.backends.registry import embedding_session_of, find_engine
from oumi.backends.remote.address import key_hint
from oumi.batch.job_spec import (
    JobKind,
    JobSpec,
    count_rows,
    new_job_spec,
)
from oumi.batch.local.state import window_s
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.configs.secrets import inline_secrets
from oumi.core.json_text import write_json
from oumi.data.source import Source
from oumi.errors import AccessError
from oumi.runner.session import Session

Secrets = Mapping[str, Any]
"""Fields of remote_params that are never written to disk."""


def job_session(backend: Backend, config: InferenceConfig, *, embeds: bool) -> Session:
    """The session of a job's rows, which are embedded or answered."""
    return embedding_session_of(backend, config) if embeds else backend.session(config)


def make_spec(
    backend: Backend, source: Source, config: InferenceConfig, *, embeds: bool
) -> JobSpec:
    """The spec of a new job. Reads the input and checks it.

    Raises ConfigError for a wrong window, and InputError for an input without rows.
    """
    window_s(config)
    rows = count_rows(source, config)
    session = job_session(backend, config, embeds=embeds)
    spec = new_job_spec(session, kind=JobKind.LOCAL, fingerprint=source.fingerprint(), rows=rows)
    return replace(
        spec,
        embeds=embeds,
        cwd=os.getcwd(),
        has_secrets=backend.row.provider is not None and bool(find_secrets(config)),
    )


def pin_address(backend: Backend, config: InferenceConfig) -> InferenceConfig:
    """The settings with the address that the environment names now, which may change later."""
    provider = backend.row.provider
    url = os.environ.get(provider.url_env or "") if provider else None
    if not url or (config.remote_params and config.remote_params.api_url):
        return config
    return InferenceConfig(remote_params=RemoteParams(api_url=url)).merge(config)


def is_same_model(backend: Backend, config: InferenceConfig, spec: JobSpec) -> bool:
    """Whether an engine asks the model of a job, at the address of the job."""
    own = backend.session(config).identity
    of_job = {k: v for k, v in spec.identity.items() if k != "embedding"}  # no fact of the model's
    return bool(orjson.loads(write_json(own)) == of_job)


def find_secrets(config: InferenceConfig) -> Secrets:
    """What is secret in the settings of how the API is reached."""
    return inline_secrets(config.remote_params)


def check_secrets(spec: JobSpec, secrets: Secrets) -> None:
    """Raise AccessError where a key was given inline for the job, and none can be found now."""
    if not spec.has_secrets or secrets:
        return
    remote = spec.config.remote_params or RemoteParams()
    provider = find_engine(spec.engine).provider
    if provider is None:
        return
    named = remote.api_key_env_varname
    if not any(os.environ.get(name) for name in ((named,) if named else provider.key_env)):
        raise AccessError(
            "the job was submitted with a key in its settings, which is not saved. To go on with "
            f"it, set {key_hint(provider, remote)}"
        )
