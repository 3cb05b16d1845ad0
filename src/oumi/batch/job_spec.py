"""What a job is to do, as it is written down: without keys."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from oumi.core.configs import BadRows, InferenceConfig
from oumi.data.sources import Source, check
from oumi.errors import InputError
from oumi.runner.request import KeyMaker


class Named(Protocol):
    """What an intent tells of its engine."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """What besides the settings shapes an answer."""
        ...


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


def intent_of(
    engine: Named, config: InferenceConfig, kind: str, fingerprint: str, rows: int
) -> JobSpec:
    """What an engine is to do under these settings, from now on."""
    identity = engine.identity(config)
    return JobSpec(
        engine=engine.name,
        kind=kind,
        settings=settings_without_keys(config),
        identity=identity_without_keys(identity),
        settings_key=KeyMaker(config, identity).settings_key,
        fingerprint=fingerprint,
        rows=rows,
        created=time.time(),
    )


def count_rows(source: Source, config: InferenceConfig) -> int:
    """Read all rows once, check them, and count them. Raises InputError where there are none."""
    rows = check(source, bad_rows_fail=config.bad_rows == BadRows.FAIL)
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
