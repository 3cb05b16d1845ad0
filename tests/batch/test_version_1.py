"""Job folders of version 0.1 are read, and their jobs go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from oumi.batch.api.shard import Shard, ShardState
from oumi.batch.api.state_file import load_state, save_state, state_of_version_1
from oumi.batch.job_folder import JobFolder
from oumi.batch.local.state import read_state
from oumi.core.types import BatchInfo, BatchStatus
from oumi.errors import StorageError, UnavailableError
from tests.batch.api import POLL, ThreeAtOnce, expected, folders, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

FILES = Path(__file__).parent / "data" / "version_1"
"""Written by version 0.1."""

QUEUED, CREATING, RUNNING, UNKNOWN, ENDED, COLLECTED, CANCELLED_UNSENT = ShardState

STATES = {
    "running": [RUNNING, RUNNING, RUNNING],
    "ended": [RUNNING, ENDED, RUNNING],
    "collected": [RUNNING, COLLECTED, RUNNING],
    "second_attempt": [COLLECTED, COLLECTED, COLLECTED, RUNNING],
    "reply_lost": [CREATING, QUEUED],
    "queue_full_failed": [RUNNING, QUEUED, QUEUED],
    "queue_full_429": [RUNNING, QUEUED, QUEUED],
    "halved": [QUEUED, QUEUED],
    "halved_reply_lost": [CREATING, QUEUED],
    "cancelled_failed": [RUNNING, CANCELLED_UNSENT, CANCELLED_UNSENT],
    "cancelled_429": [RUNNING, CANCELLED_UNSENT, CANCELLED_UNSENT],
    "cancelled_collected_failed": [COLLECTED, CANCELLED_UNSENT, CANCELLED_UNSENT],
    "cancelled_collected_429": [COLLECTED, CANCELLED_UNSENT, CANCELLED_UNSENT],
    "adopted": [RUNNING],
}


def folder_with(tmp_path: Path, name: str, spec: str = "api") -> JobFolder:
    shutil.copy(FILES / f"{name}.state.json", tmp_path / "state.json")
    shutil.copy(FILES / f"{spec}.intent.json", tmp_path / "intent.json")
    return JobFolder(tmp_path)


@pytest.mark.parametrize("name", STATES)
def test_states_that_version_1_wrote(name: str, tmp_path: Path):
    folder = folder_with(tmp_path, name, "adopted" if name == "adopted" else "api")
    written = folder.read_state()
    state = load_state(folder)
    assert [shard.state for shard in state.shards] == STATES[name]
    assert [shard.is_adopted for shard in state.shards] == [name == "adopted"] * len(state.shards)
    for shard, part in zip(state.shards, written["parts"], strict=True):
        for field in ("tag", "first", "last", "requests", "attempt", "upload", "ids", "answers"):
            assert getattr(shard, field) == part[field]
        seen = part["told"]
        expected = seen and {**seen, "status": seen["status"].lower()}
        assert (shard.info and shard.info.to_dict()) == expected
    assert (state.queue_full_s, state.attempt) == (written["refused_s"], written["attempt"])
    save_state(folder, state)
    assert load_state(folder) == state
    assert folder.read_state()["version"] == 2
    assert folder.read_state()["ids"] == written["ids"]


INFOS = [BatchInfo("b", status).to_dict() for status in BatchStatus]
FLAGS = ("begun", "refused", "stopped", "collected")
PARTS = [
    {**dict(zip(FLAGS, flags, strict=True)), "ids": ids, "told": info}
    for flags in product((False, True), repeat=len(FLAGS))
    for ids, info in [([], None), *((["b"], info) for info in INFOS)]
]


class Version1:
    """What version 0.1 made of the facts."""

    def __init__(self, part: Mapping[str, Any]):
        self.stopped, self.begun = part["stopped"], part["begun"]
        self.is_waiting = not self.stopped and (part["refused"] or not part["ids"])
        self.status = self._status(part["told"])
        self.is_running = not self.stopped and not self.is_waiting and not self.status.is_terminal
        has_nothing_due = self.is_waiting or self.is_running or part["collected"]
        self.is_due = bool(part["ids"]) and not has_nothing_due

    def _status(self, info: Mapping[str, Any] | None) -> BatchStatus:
        if self.stopped:
            return BatchStatus.CANCELLED
        waits = self.is_waiting or info is None
        return BatchStatus.VALIDATING if waits else BatchStatus(info["status"])


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_each_combination_means_what_it_meant(part: dict[str, Any]):
    old, state = Version1(part), state_of_version_1(part)
    info = BatchInfo.from_dict(part["told"]) if part["told"] else None
    shard = Shard("tag", 0, 1, 2, state=state, ids=part["ids"], info=info)
    assert (shard.is_waiting, shard.is_running) == (old.is_waiting, old.is_running)
    assert (state == CREATING) == (old.is_waiting and old.begun)
    assert (state == CANCELLED_UNSENT) == old.stopped
    assert (state == ENDED) == (old.is_due and not old.stopped)  # a stopped one has no results
    assert shard.status == old.status
    assert shard.has_ended == (old.status.is_terminal and not old.is_waiting)


def test_each_state_is_what_some_combination_means():
    assert {state_of_version_1(part) for part in PARTS} == set(ShardState) - {UNKNOWN}


def test_an_adopted_batch_is_known_as_such(tmp_path: Path):
    folder = folder_with(tmp_path, "adopted", "adopted")
    assert folder.spec.adopted_id == "batch_1"
    assert folder_with(tmp_path, "halved").spec.adopted_id is None


def test_a_local_job(tmp_path: Path):
    folder = folder_with(tmp_path, "local", "local")
    assert (folder.spec.kind, folder.spec.rows, folder.spec.cwd) == ("local", 3, "/home/user")
    assert (read_state(folder).status, read_state(folder).done) == (BatchStatus.COMPLETED, 3)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"version": 3}, "version 3 is of a newer oumi"),
        ({"version": 2, "ids": [], "shards": [{}]}, "damaged"),
        ({"version": 2, "ids": [], "shards": [], "unknown": 1}, "damaged"),
        ({"parts": [{"tag": "t"}]}, "damaged"),
        ({"parts": [1]}, "damaged"),
        ([], "damaged"),
    ],
)
def test_a_state_that_cannot_be_read(content: object, problem: str, tmp_path: Path):
    folder = folder_with(tmp_path, "running")
    folder.write_state(content)
    with pytest.raises(StorageError, match=problem):
        load_state(folder)


def write_as_version_1(folder: Path) -> None:
    """Turn the state of a job into what version 0.1 would have written."""
    path = folder / "state.json"
    state = json.loads(path.read_text())
    if state.pop("version", 1) == 1:
        return
    state["parts"] = [_part(shard) for shard in state.pop("shards")]
    state["refused_s"], state["ended_then"] = (
        state.pop("queue_full_s"),
        state.pop("ended_when_full"),
    )
    path.write_text(json.dumps(state))


def _part(shard: dict[str, Any]) -> dict[str, Any]:
    state, info = shard.pop("state"), shard.pop("info")
    del shard["is_adopted"]
    return {
        **shard,
        "refusals": shard.pop("rejections"),
        "told": info,
        "begun": state not in ("queued", "cancelled_unsent"),
        "refused": state in ("queued", "creating") and bool(shard["ids"]),
        "stopped": state == "cancelled_unsent",
        "collected": state == "collected",
    }


@pytest.mark.parametrize(
    ("plan", "calls"),
    [
        ({"lose": {"POST batches": 1}}, 1),
        ({"lose": {"POST batches": 2}}, 2),
        ({"lose": {"POST files": 1}}, 1),
        ({"room": 1}, 4),
    ],
)
def test_a_job_of_version_1_is_submitted_once(server: FaultServer, plan: dict, calls: int):
    server.plan(batch={"states": ["completed"], **plan})
    with make(server, ThreeAtOnce, max_retries=0) as engine:
        for _ in range(calls):
            with suppress(UnavailableError):  # a reply that got lost
                engine.infer_batch(rows(8))
            [folder] = folders()
            write_as_version_1(folder)
        engine.wait_for_batch(folder.name, **POLL)
        assert answers(engine.get_batch_results(folder.name, rows(8))) == expected(range(8))
    assert set(server.batches()["rows"].values()) == {1}
