"""From a job's id to the engine that works on it, and the options that this takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from oumi.batch.job_folder import find_folder
from oumi.batch.job_spec import JobKind, JobSpec
from oumi.batch.local.service import LocalJobs
from oumi.batch.service import Batches
from oumi.cli.overrides import CommandT, OverridableCommand, config_option, read_settings
from oumi.cli.setting_completion import complete_job
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.errors import InputError
from oumi.inference import build_engine
from oumi.inference.batch_methods import BatchMethods


class LocalBatchMethods(BatchMethods):
    """The batch methods for jobs of this machine, without loading any model."""

    def _effective(self, inference_config: InferenceConfig | None) -> InferenceConfig:
        return inference_config or InferenceConfig()

    async def _batches(self, config: InferenceConfig, batch_id: str | None = None) -> Batches:
        return LocalJobs()


def job_command(name: str, **extra: Any) -> Callable[[CommandT], click.Command]:
    """A command on one job: it gets `ctx`, `batch_id`, the `path` of `-c`, and any setting."""
    path = config_option("YAML settings, for a job that is not known here.")
    batch_id = click.argument("batch_id", metavar="ID", shell_complete=complete_job)
    as_command = click.command(
        name, cls=OverridableCommand, options_metavar="[OPTIONS] ID [--SETTING VALUE]...", **extra
    )
    return lambda function: as_command(click.pass_context(batch_id(path(function))))


@contextlib.contextmanager
def open_job(
    ctx: click.Context, path: Path | None, batch_id: str
) -> Iterator[tuple[BatchMethods, InferenceConfig]]:
    """The methods of the engine that has a job, and the settings of the call.

    Raises InputError for a job that is not known here where no engine is named either.
    """
    given = read_settings(ctx, path)
    folder = find_folder(batch_id)
    if folder is None and given.engine is None:
        raise InputError(
            f"no job {batch_id!r} is known on this machine. For one that another program made, "
            "name its --engine and --model.model_name"
        )
    with open_methods(folder.spec if folder else None, given) as methods:
        yield methods, given


@contextlib.contextmanager
def open_methods(job: JobSpec | None, given: InferenceConfig) -> Iterator[BatchMethods]:
    """The methods of the engine that has a job; without one, of the engine in the settings."""
    if job is not None and job.kind == JobKind.LOCAL:
        yield LocalBatchMethods()
        return
    with build_engine(given if job is None else _settings(job, given)) as engine:
        yield engine


def _settings(job: JobSpec, given: InferenceConfig) -> InferenceConfig:
    """The job's own settings, those of the call over them, at the address that it was sent to."""
    config = job.config.merge(given)
    remote = config.remote_params or RemoteParams()
    if remote.api_url is None and "url" in job.identity:
        remote = remote.model_copy(update={"api_url": job.identity["url"]})
    return config.merge(InferenceConfig(engine=job.engine, remote_params=remote))
