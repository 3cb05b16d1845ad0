"""Jobs at APIs as they are made and opened: which go to an API, their specs, their sessions."""

from __future__ import annotations

from typing import cast

from oumi.backends.registry import session_of
from oumi.backends.remote.api_choice import api_of_identity, with_api
from oumi.backends.remote.backend import RemoteBackend
from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.job import ApiJob
from oumi.batch.api.prompts import check_is_chat
from oumi.batch.api.providers import open_api
from oumi.batch.api.state_file import load_state
from oumi.batch.job_folder import JobFolder, find_folder
from oumi.batch.job_spec import JobKind, JobSpec, count_rows, new_job_spec
from oumi.batch.media import media_settings
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.remote_params import RemoteParams
from oumi.data.source import Source
from oumi.errors import ConfigError, InputError


async def is_for_api(backend: RemoteBackend, config: InferenceConfig, batch_id: str | None) -> bool:
    """Whether the API works on a job, or would on a new one, rather than this machine.

    A server whose address the user names may have no batch API, and so is asked.
    """
    if backend.provider.batch is None:
        return False
    folder = find_folder(batch_id) if batch_id else None
    if folder is not None:
        return folder.spec.kind == JobKind.API
    session = backend.session(config)
    if batch_id is None and (session.address.is_endpoint or missing_settings(backend, config)):
        return False
    if backend.provider.url is not None:
        return True
    return await open_api(session).is_offered()


def missing_settings(backend: RemoteBackend, config: InferenceConfig) -> list[str]:
    """The settings that the batch API needs and that are not set."""
    limits, remote = backend.provider.batch, config.remote_params or RemoteParams()
    names = limits.needs if limits else ()
    return [f"remote_params.{name}" for name in names if getattr(remote, name) is None]


def new_spec(backend: RemoteBackend, source: Source, config: InferenceConfig) -> JobSpec:
    """What is to be done. Reads the input and checks it."""
    rows = count_rows(source, config)
    return make_spec(backend, config, fingerprint=source.fingerprint(), rows=rows)


def make_spec(
    backend: RemoteBackend, config: InferenceConfig, *, fingerprint: str, rows: int
) -> JobSpec:
    """What is to be done with rows that were counted. Raises UnsupportedError."""
    check_is_chat(config.generation)
    session = backend.session(config)
    return new_job_spec(session, kind=JobKind.API, fingerprint=fingerprint, rows=rows)


def open_job(backend: RemoteBackend, folder: JobFolder, config: InferenceConfig) -> ApiJob:
    """A job as it was submitted, reached as the settings of this call say."""
    spec, name = folder.spec, backend.name
    if (spec.kind, spec.engine) != (JobKind.API, name):
        raise InputError(f"{folder.id} is a job of {spec.engine}, not of {name}")
    own = {"model": spec.config.model, "generation": spec.config.generation}
    config = config.model_copy(update=own | media_settings(spec, config))
    config = with_api(config, api_of_identity(backend.provider, spec.identity))
    session = cast(RemoteSession, session_of(backend, config))
    url = session.identity.get("url")
    if url != spec.identity.get("url"):
        raise ConfigError(
            f"{folder.id} was submitted to {spec.identity.get('url')}, and this engine asks "
            f"{url}: set remote_params.api_url"
        )
    return ApiJob(folder, load_state(folder), session, open_api(session))
