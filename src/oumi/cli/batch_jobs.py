"""What the batch commands share: their options, and the way from a job's id to who knows it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from oumi.batch.job_folder import find_folder
from oumi.batch.job_spec import JobSpec
from oumi.batch.local.service import KIND as LOCAL
from oumi.batch.local.service import LocalJobs
from oumi.batch.service import Batches
from oumi.cli.overrides import OverridableCommand, read_settings
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.types.batch import BatchInfo
from oumi.errors import InputError
from oumi.inference import build_engine
from oumi.inference.batch_methods import BatchMethods

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

SETTINGS = "[OPTIONS] ID [--SETTING VALUE]..."


class LocalBatchMethods(BatchMethods):
    """The batch verbs for jobs of this machine, without any model being loaded."""

    def _effective(self, inference_config: InferenceConfig | None) -> InferenceConfig:
        return inference_config or InferenceConfig()

    async def _batches(self, config: InferenceConfig, batch_id: str | None = None) -> Batches:
        return LocalJobs()


def job_command(name: str, **extra: Any) -> Callable[[CommandT], click.Command]:
    """A command on one job, with `-c` and any setting as an option."""

    def decorate(function: CommandT) -> click.Command:
        for add in (
            click.option(
                "-c",
                "--config",
                "path",
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="YAML settings, for a job that is not known here.",
            ),
            click.argument("batch_id", metavar="ID"),
        ):
            function = add(function)
        return click.command(name, cls=OverridableCommand, options_metavar=SETTINGS, **extra)(
            click.pass_context(function)
        )

    return decorate


@contextlib.contextmanager
def reach(
    ctx: click.Context, path: Path | None, batch_id: str
) -> Iterator[tuple[BatchMethods, InferenceConfig]]:
    """Who knows a job, and the settings of the call. Raises InputError where nobody may."""
    warn()
    given = read_settings(ctx, path)
    folder = find_folder(batch_id)
    if folder is None and given.engine is None:
        raise InputError(
            f"no job {batch_id!r} is known on this machine. For one that another program made, "
            "name its --engine and --model.model_name"
        )
    with reach_job(folder.spec if folder else None, given) as verbs:
        yield verbs, given


@contextlib.contextmanager
def reach_job(intent: JobSpec | None, given: InferenceConfig) -> Iterator[BatchMethods]:
    """Who knows a job of an intent; of none, the engine that the settings name."""
    if intent is not None and intent.kind == LOCAL:
        yield LocalBatchMethods()
        return
    with build_engine(given if intent is None else _settings(intent, given)) as engine:
        yield engine


def warn() -> None:
    """Let warnings of the library reach the terminal."""
    logging.basicConfig(format="warning: %(message)s", level=logging.WARNING)


def show(info: BatchInfo, facts: dict[str, Any]) -> str:
    """A job in lines of words, with the facts that others add."""
    done = f"{info.completed_requests:,} of {info.total_requests:,} done"
    lines = {
        "job": info.id,
        "engine": info.engine,
        "status": f"{info.status} ({info.provider_status})",
        "requests": f"{done}, {info.failed_requests:,} failed",
        "parts": f"{info.parts}" if info.parts > 1 else None,
        "submitted": _moment(info.created_at),
        "ended": _moment(info.completed_at),
        "expires": None if info.is_terminal else _moment(info.expires_at),
        **facts,
        "errors": "\n           ".join(info.errors) or None,
    }
    return "\n".join(f"{name:<10} {text}" for name, text in lines.items() if text)


def _moment(time: Any) -> str | None:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if time else None


def _settings(intent: JobSpec, given: InferenceConfig) -> InferenceConfig:
    """The job's own settings, those of the call over them, at the address that it went to."""
    config = intent.config.merge(given)
    remote = config.remote_params or RemoteParams()
    if remote.api_url is None and "url" in intent.identity:
        remote = remote.model_copy(update={"api_url": intent.identity["url"]})
    return config.merge(InferenceConfig(engine=intent.engine, remote_params=remote))
