"""A job's folder: what was asked for, on disk before anything is sent, and what came of it.

Folders lie under the user's state directory, one a job, named by the job's own id. That id is
a hash of the settings and of the input, so that the same call after a kill finds the same folder.

    intent.json     engine, settings without keys, hash of the input: written once, last of all
    input.jsonl     the conversations
    state.json      what has happened so far, each time as a whole
    answers.jsonl   with its journal, failures and run.json: an ordinary run of the runner
    lock            held by whoever works on the job; of a local job it names the process
    cancel          there as soon as somebody wants a local job to stop
    worker.log      what the processes of a local job wrote
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import orjson
from platformdirs import user_state_path

from oumi.batch.job_spec import JobSpec
from oumi.core.digest import new_digest
from oumi.core.logs import logger
from oumi.core.types.conversation import Conversation
from oumi.data.jsonl import JsonlSource
from oumi.data.source import Source
from oumi.errors import InputError, StorageError
from oumi.runner.request import KeyMaker
from oumi.runner.storage.atomic import atomic_file
from oumi.runner.storage.output import Output

_PREFIX = "oumi-batch-"
_KEPT = "What was done before is recorded"
_LOOK_AGAIN_S = 0.05


def root() -> Path:
    """Where all jobs lie; on Linux XDG_STATE_HOME moves it."""
    return user_state_path("oumi") / "batches"


class Lock:
    """The right to work on a job, until it is released or the process ends."""

    def __init__(self, file: int):
        self.file = file
        """The open file that is locked; -1 once it is released."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others work on the job. Twice is fine."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


class JobFolder:
    """The files of a job. Only who holds the lock writes to them; anyone may ask to `cancel`."""

    def __init__(self, path: Path):
        self.path = path
        self.input_path = path / "input.jsonl"
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
        """Whether the job was made whole: its intent is what is written last."""
        return (self.path / "intent.json").exists()

    @cached_property
    def intent(self) -> JobSpec:
        """What the job is to do."""
        return JobSpec(**_read(self.path / "intent.json"))

    @property
    def source(self) -> JsonlSource:
        """The conversations."""
        return JsonlSource(self.input_path, f"the input of {self.id}")

    @property
    def output(self) -> Output:
        """The answers and their neighbours."""
        return Output(self.answers_path)

    @property
    def run_id(self) -> str:
        """The name of the run in `run.json`, as the runner has it."""
        return f"{self.intent.settings_key}-{self.intent.fingerprint}"

    def make(self, source: Source, intent: JobSpec) -> None:
        """Write input and intent. To be called with the lock held."""
        if isinstance(source, JsonlSource):  # as it is, so that line numbers stay true
            with source.path.open("rb") as original:
                self.make_from(original, intent)
        else:
            self.make_from((text + b"\n" for _, text in source.lines()), intent)

    def make_from(self, lines: Iterable[bytes], intent: JobSpec) -> None:
        """The same from the lines of the input."""
        with atomic_file(self.input_path, _KEPT) as file:
            file.writelines(lines)
        self._write("intent.json", asdict(intent))
        vars(self).pop("intent", None)

    def read_state(self) -> dict[str, Any]:
        """What has happened so far; empty before anything has."""
        path = self.path / "state.json"
        return _read(path) if path.exists() else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state as a whole. The names in its `ids` find this folder as well."""
        self._write("state.json", state)

    def try_lock(self) -> Lock | None:
        """The lock, or None while somebody else holds it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return Lock(file)

    async def lock(self) -> Lock:
        """The lock, once everybody else has let go of it."""
        while (lock := self.try_lock()) is None:  # noqa: ASYNC110  the system tells nobody
            await asyncio.sleep(_LOOK_AGAIN_S)
        return lock

    def check_conversations(self, source: Source) -> None:
        """Raise InputError unless these are the conversations that were submitted."""
        keys = self.intent.keys
        given, submitted = source.rows(), self.source.rows()
        for index in range(self.intent.rows):
            row, own = next(given, None), next(submitted, None)
            mine = _key(keys, row.conversation if row else None)
            if mine != _key(keys, own.conversation if own else None):
                raise InputError(_not_the_same(self.id, index))
        if next(given, None) is not None:
            raise InputError(f"{self.id} has {self.intent.rows} rows, and more are given")

    def _write(self, name: str, value: dict[str, Any]) -> None:
        with atomic_file(self.path / name, _KEPT) as file:
            file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")


def folder_of(settings_key: str, fingerprint: str) -> JobFolder:
    """The folder, made or not, of the job that answers this input under these settings."""
    digest = new_digest()
    digest.update(f"{settings_key}-{fingerprint}".encode())
    return JobFolder(root() / f"{_PREFIX}{digest.hexdigest()[:24]}")


def all_folders() -> Iterator[JobFolder]:
    """All jobs known here, the newest first."""
    folders = [JobFolder(path) for path in root().glob("*") if path.is_dir()]
    made = [folder for folder in folders if folder.exists and _is_readable(folder)]
    yield from sorted(made, key=lambda folder: folder.intent.created, reverse=True)


def find_folder(batch_id: str) -> JobFolder | None:
    """The folder of a job by the job's own id or by any id that a provider gave it."""
    own = JobFolder(root() / batch_id) if os.sep not in batch_id else None
    if own is not None and own.exists:
        return own
    for folder in all_folders():
        if batch_id in _ids(folder):
            return folder
    return None


def _is_readable(folder: JobFolder) -> bool:
    """Whether it can be told what the job is; one that is damaged does not hide the others."""
    try:
        return bool(folder.intent)
    except (StorageError, TypeError) as error:
        logger.warning("%s: passed over: %s", folder.path, error)
        return False


def _ids(folder: JobFolder) -> Sequence[str]:
    """The provider's ids; none where the state is damaged, which asking for that job tells."""
    try:
        return tuple(folder.read_state().get("ids", ()))
    except StorageError:
        return ()


def _key(keys: KeyMaker, conversation: Conversation | None) -> str | None:
    return None if conversation is None else keys.key(conversation)


def _not_the_same(job: str, index: int) -> str:
    return (
        f"row {index} is not the conversation that was submitted as row {index} of {job}. Give "
        "the conversations as they were submitted, or leave them out"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = orjson.loads(path.read_bytes())
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise StorageError(f"{path}: damaged: {error}") from error
    return value
