"""What a job is to do, as it is written down: without keys."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from oumi.core.configs import BadRows, InferenceConfig
from oumi.data.check import check_rows
from oumi.data.source import Source
from oumi.errors import InputError
from oumi.runner.request import KeyMaker
from oumi.runner.session import Session


@dataclass(frozen=True)
class JobSpec:
    """What a job is to do. Holds no key, only the name of the variable that does."""

    engine: str
    kind: str
    """Who works on it: `api` or `local`."""
    settings: dict[str, Any]
    identity: dict[str, Any]
    """What the engine said of itself; part of each row's key."""
    settings_key: str
    fingerprint: str
    rows: int
    created: float
    """Seconds since the epoch."""
    foreign_id: str | None = None
    """The provider's id of a batch that another program made."""
    cwd: str = "."
    """Where the caller stood: what relative paths of a local job start from."""
    has_secrets: bool = False
    """Whether a key or a password was given inline, and so is not written down."""

    @property
    def created_at(self) -> datetime:
        """When the job was made."""
        return datetime.fromtimestamp(self.created, UTC)

    @property
    def config(self) -> InferenceConfig:
        """The settings of the job, without input, output and key."""
        return InferenceConfig.model_validate(self.settings)

    @property
    def keys(self) -> KeyMaker:
        """Makes the keys of the job's rows."""
        return KeyMaker(self.config, self.identity)


def spec_of(session: Session, kind: str, fingerprint: str, rows: int) -> JobSpec:
    """What is to be done under the settings of a session, from now on."""
    return JobSpec(
        engine=session.name,
        kind=kind,
        settings=settings_without_keys(session.config),
        identity=identity_without_keys(session.identity),
        settings_key=session.keys.settings_key,
        fingerprint=fingerprint,
        rows=rows,
        created=time.time(),
    )


def count_rows(source: Source, config: InferenceConfig) -> int:
    """Read all rows once, check them, and count them. Raises InputError where there are none."""
    rows = check_rows(source, bad_rows_fail=config.bad_rows == BadRows.FAIL)
    if rows == 0:
        raise InputError("no conversations to submit")
    return rows


def settings_without_keys(config: InferenceConfig) -> dict[str, Any]:
    """The settings as JSON-ready values; keys, files, and a password in a URL are left out."""
    settings = config.model_dump(
        mode="json", exclude_unset=True, exclude={"remote_params": {"api_key"}}
    )
    for name in ("input_path", "output_path", "overwrite"):
        settings.pop(name, None)
    remote = settings.get("remote_params") or {}
    if url := remote.get("api_url"):
        remote["api_url"] = _bare(url) if isinstance(url, str) else [_bare(one) for one in url]
    return settings


def identity_without_keys(identity: Mapping[str, Any]) -> dict[str, Any]:
    """What an engine says of itself, without a password in its URL."""
    return {name: _bare(value) if name == "url" else value for name, value in identity.items()}


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f"{parts.netloc.rpartition('@')[0]}@", "", 1) if "@" in parts.netloc else url
