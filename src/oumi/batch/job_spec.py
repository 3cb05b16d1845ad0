"""What a job is to do, as it is written to disk: without keys."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.loading import dump_without_secrets
from oumi.core.configs.run_choices import PROMPT_SETTINGS, BadRows
from oumi.core.configs.secrets import shown_settings
from oumi.data.check import check_rows
from oumi.data.source import Source
from oumi.errors import InputError
from oumi.runner.request import KeyMaker
from oumi.runner.session import Session


class JobKind(StrEnum):
    """Where a job is worked on."""

    API = "api"
    """By the batch API of its provider."""

    LOCAL = "local"
    """By a process on this machine."""


@dataclass(frozen=True)
class JobSpec:
    """What a job is to do. Holds no key, only the name of the variable that does."""

    engine: str
    kind: JobKind
    settings: dict[str, Any]
    identity: dict[str, Any]
    """What besides the settings shapes an answer; part of each row's key."""
    settings_key: str
    fingerprint: str
    """A hash of the input."""
    rows: int
    created: float
    """Seconds since the epoch."""
    adopted_id: str | None = None
    """The provider's id of a batch that another program made."""
    cwd: str = "."
    """The caller's working directory, in which relative paths of a local job start."""
    number: int = 0
    """How often the same was submitted before, on purpose."""
    has_secrets: bool = False
    """Whether a key or a password was given inline, and so is not written down."""
    embeds: bool = False
    """Whether the texts of its rows are embedded, rather than answered."""
    counts_equal_rows: bool = False
    """Whether equal rows are told apart under a seed; jobs of earlier versions do not."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The spec in `intent.json`. Raises LookupError, TypeError and ValueError for what is
        none.
        """
        values = dict(values)
        if "foreign_id" in values:  # the name of the field in version 0.1
            values["adopted_id"] = values.pop("foreign_id")
        values["kind"] = JobKind(values["kind"])
        return cls(**values)

    @property
    def created_at(self) -> datetime:
        """When the job was made."""
        return datetime.fromtimestamp(self.created, UTC)

    @property
    def config(self) -> InferenceConfig:
        """The settings of the job, without input, output and key."""
        return InferenceConfig.model_validate(self.settings)

    @property
    def made_by(self) -> dict[str, Any]:
        """`engine` and `settings` of the summary of what comes of it."""
        return {"engine": self.engine, "settings": shown_settings(self.config)}

    @property
    def keys(self) -> KeyMaker:
        """Makes the keys of the job's rows."""
        return KeyMaker(self.config, self.identity)


_OF_ONE_CALL = (
    "batch",
    "input_path",
    "output_path",
    "output_format",
    "samples",  # how they stand in a table
    "progress_path",
    "overwrite",
)
"""Settings that say nothing of the job itself."""


def new_job_spec(session: Session, *, kind: JobKind, fingerprint: str, rows: int) -> JobSpec:
    """The spec of a job that is made now, under the settings of a session."""
    return JobSpec(
        engine=session.name,
        kind=kind,
        settings=settings_without_keys(session.config),
        identity=dict(session.identity),
        settings_key=session.job_keys.settings_key,
        fingerprint=fingerprint,
        rows=rows,
        created=time.time(),
        counts_equal_rows=True,
    )


def count_rows(source: Source, config: InferenceConfig) -> int:
    """Read all rows once, check them, and count them. Raises InputError where there are none."""
    rows = check_rows(source, bad_rows_fail=config.bad_rows == BadRows.FAIL)
    if rows == 0:
        raise InputError("no conversations to submit")
    return rows


def settings_without_keys(config: InferenceConfig) -> dict[str, Any]:
    """The settings as JSON-ready values; keys, files, secrets in a URL, and what made conversations
    of the rows are left out.
    """
    settings = dump_without_secrets(config, only_set=True)
    for name in (*_OF_ONE_CALL, *PROMPT_SETTINGS):
        settings.pop(name, None)
    return settings
