"""A job's folder: what it is to do, on disk before anything is sent, and its state and results.

Folders are under the user's state directory, one a job, named by the job's own id. That id is
a hash of the settings and of the input, so that the same call after a kill finds the same folder.

    intent.json     the job's spec: engine, settings without keys, hash of the input; its presence
                    says that the job was created, so it is written once, after the input
    input.jsonl     the conversations
    settings.jsonl  the settings that rows bring along, if any do
    state.json      what has happened so far, replaced as a whole each time
    <tag>.jsonl     the requests of a shard of a job at an API, until it has ended
    answers.jsonl   with its journal, failures and run.json: an ordinary run of the runner
    lock            held by the process that works on the job; of a local job it names the process
    lock.lock       the same where the file system has no flock
    cancel          present as soon as somebody wants a local job to stop
    worker.log      the log of a local job's processes
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from oumi.batch.job_input import open_input, write_settings
from oumi.batch.job_spec import JobSpec
from oumi.core.configs.generation_params import GenerationParams
from oumi.core.digest import new_digest
from oumi.core.json_text import parse_json, write_json
from oumi.core.logs import logger
from oumi.data.samples import sampled
from oumi.data.source import Row, Source
from oumi.errors import InputError, StorageError
from oumi.runner.request import KeyMaker
from oumi.runner.storage.atomic import atomic_file, reason_of
from oumi.runner.storage.lock import Lock, holder_of, try_lock
from oumi.runner.storage.output import Output

_PREFIX = "oumi-batch-"
_SAFE_ON_ERROR = "What was done before is recorded"
_LOCK_POLL_S = 0.05  # a lock is held for a few requests, so waiting for it is hardly noticed
_LONG_WAIT_S = 5.0


def root() -> Path:
    """The folder of all jobs; on Linux XDG_STATE_HOME moves it."""
    return user_state_path("oumi") / "batches"


class JobFolder:
    """The files of a job. Only who holds the lock writes to them; anyone may make `cancel`."""

    def __init__(self, path: Path):
        self.path = path
        self.spec_path = path / "intent.json"  # the name it has had since version 0.1
        self.state_path = path / "state.json"
        self.input_path = path / "input.jsonl"
        self.settings_path = path / "settings.jsonl"
        self.answers_path = path / "answers.jsonl"
        self.lock_path = path / "lock"
        self.cancel_path = path / "cancel"
        self.log_path = path / "worker.log"

    @property
    def id(self) -> str:
        """The job's own id."""
        return self.path.name

    @property
    def exists(self) -> bool:
        """Whether the job was created completely: its spec is written last."""
        return self.spec_path.exists()

    @cached_property
    def spec(self) -> JobSpec:
        """What the job is to do. Raises StorageError where it is damaged."""
        values = _read(self.spec_path)
        try:
            return JobSpec.from_dict(values)
        except (LookupError, TypeError, ValueError) as error:
            raise StorageError(f"{self.spec_path}: damaged: {error!r}") from error

    @property
    def source(self) -> Source:
        """The conversations, each as often as samples of it were asked for."""
        given = open_input(self.input_path, self.settings_path, f"the input of {self.id}")
        return sampled(given, self.spec.config) if self.spec.counts_equal_rows else given

    @property
    def output(self) -> Output:
        """The answers and the files beside them."""
        return Output(self.answers_path)

    @property
    def run_id(self) -> str:
        """The name of the run in `run.json`, as the runner makes it."""
        return _job_name(self.spec)

    def requests_path(self, tag: str) -> Path:
        """The file of requests of a shard."""
        return self.path / f"{tag}.jsonl"

    def create(self, source: Source, spec: JobSpec) -> None:
        """Write input and spec. To be called with the lock held."""
        with atomic_file(self.input_path, _SAFE_ON_ERROR) as file:
            source.copy_to(file)
        write_settings(source, self.settings_path, _SAFE_ON_ERROR)
        self.write_spec(spec)

    def create_from_lines(self, lines: Iterable[bytes], spec: JobSpec) -> None:
        """As `create`, from the lines of the input."""
        with atomic_file(self.input_path, _SAFE_ON_ERROR) as file:
            file.writelines(lines)
        self.write_spec(spec)

    def write_spec(self, spec: JobSpec) -> None:
        """Write the spec. To be called with the lock held."""
        _write(self.spec_path, asdict(spec))
        vars(self).pop("spec", None)  # read it anew

    def read_state(self) -> dict[str, Any]:
        """What has happened so far; empty at first. Raises StorageError."""
        return _read(self.state_path) if self.state_path.exists() else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state as a whole. `find_folder` finds the job by the names in its `ids`."""
        _write(self.state_path, state)

    @property
    def is_read_only(self) -> bool:
        """Whether this process may only look at the job."""
        return self.exists and not os.access(self.path, os.W_OK)

    @property
    def holder(self) -> str:
        """Who holds the lock, in words."""
        return holder_of(self.lock_path)

    def try_lock(self) -> Lock | None:
        """The lock, or None while somebody else holds it. Raises StorageError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be made: {reason_of(error)}") from error
        return try_lock(self.lock_path, 0o600)

    async def lock(self) -> Lock:
        """The lock, as soon as nobody else holds it."""
        warn_s = time.monotonic() + _LONG_WAIT_S
        while (lock := self.try_lock()) is None:
            if time.monotonic() > warn_s:
                logger.warning("%s: waiting for %s, which works on it", self.id, self.holder)
                warn_s = inf
            await asyncio.sleep(_LOCK_POLL_S)
        return lock

    def request_cancellation(self) -> None:
        """Have the process that works on the job stop. Raises StorageError."""
        try:
            self.cancel_path.touch()
        except OSError as error:
            raise StorageError(f"{self.cancel_path}: {reason_of(error)}") from error

    def check_conversations(self, source: Source) -> None:
        """Raise InputError unless these are the conversations that were submitted."""
        keys = self.spec.keys
        given_rows, submitted_rows = source.rows(), self.source.rows()
        for index in range(self.spec.rows):
            given, submitted = next(given_rows, None), next(submitted_rows, None)
            if _facts(keys, given) != _facts(keys, submitted):
                raise InputError(_other_conversation(self.id, index))
        if next(given_rows, None) is not None:
            raise InputError(f"{self.id} has {self.spec.rows} rows, and more are given")


def folder_of(spec: JobSpec) -> JobFolder:
    """The folder, created or not, of a job."""
    digest = new_digest()
    digest.update(_job_name(spec).encode())
    return JobFolder(root() / f"{_PREFIX}{digest.hexdigest()[:24]}")


def latest(spec: JobSpec) -> JobSpec:
    """The latest of the jobs that do the same; the first one where there is none yet."""
    while folder_of(following := next_of(spec)).exists:
        spec = following
    return spec


def next_of(spec: JobSpec) -> JobSpec:
    """A further job that does the same."""
    return replace(spec, number=spec.number + 1)


def all_folders() -> Iterator[JobFolder]:
    """All jobs on this machine, the newest first. Raises StorageError."""
    folders = [JobFolder(path) for path in _paths_in(root()) if path.is_dir()]
    readable = [folder for folder in folders if folder.exists and _is_readable(folder)]
    yield from sorted(readable, key=lambda folder: folder.spec.created, reverse=True)


def find_folder(batch_id: str) -> JobFolder | None:
    """The folder of a job by the job's own id or by any id that a provider gave it."""
    own = JobFolder(root() / batch_id) if os.sep not in batch_id else None
    if own is not None and own.exists:
        return own
    for folder in all_folders():
        if batch_id in _ids(folder):
            return folder
    return None


def _paths_in(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{folder}: jobs cannot be listed: {reason_of(error)}") from error


def _is_readable(folder: JobFolder) -> bool:
    """Whether the spec can be read. A damaged one is no reason to hide the other jobs."""
    try:
        return bool(folder.spec)
    except StorageError as error:
        logger.warning("%s: passed over: %s", folder.path, error)
        return False


def _ids(folder: JobFolder) -> Sequence[str]:
    """The provider's ids. None where the state is damaged; a call for that job reports it."""
    try:
        return tuple(folder.read_state().get("ids", ()))
    except StorageError:
        return ()


def _job_name(spec: JobSpec) -> str:
    number = f"-{spec.number}" if spec.number else ""
    return f"{spec.settings_key}-{spec.fingerprint}{number}"


def _facts(keys: KeyMaker, row: Row | None) -> tuple[str, GenerationParams | None] | None:
    """All that shapes the answer to a row."""
    if row is None or row.conversation is None:
        return None
    return keys.key(row.conversation), row.generation


def _other_conversation(job: str, index: int) -> str:
    return (
        f"row {index} is not the conversation that was submitted as row {index} of {job}. Give "
        "the conversations as they were submitted, or leave them out"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = parse_json(path.read_bytes())
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {reason_of(error)}") from error
    except ValueError as error:
        raise StorageError(f"{path}: damaged: {error}") from error
    if not isinstance(value, dict):
        raise StorageError(f"{path}: damaged: not a JSON object")
    return value


def _write(path: Path, value: dict[str, Any]) -> None:
    with atomic_file(path, _SAFE_ON_ERROR) as file:
        file.write(write_json(value, indent=True) + b"\n")
