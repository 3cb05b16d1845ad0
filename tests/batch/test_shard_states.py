"""The states of a shard: each transition from each state leads where it should, or raises."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from itertools import product

import pytest

from oumi.batch.api.providers.base import ApiBatch
from oumi.batch.api.shard import IllegalTransitionError, Shard, ShardState
from oumi.core.types import BatchInfo, BatchStatus

QUEUED, CREATING, RUNNING, UNKNOWN, ENDED, COLLECTED, CANCELLED_UNSENT = ShardState


def batch(status: BatchStatus, name: str = "batch_1", *, queue_full: bool = False) -> ApiBatch:
    info = BatchInfo(name, status, total_requests=4, completed_requests=3, failed_requests=1)
    return ApiBatch(info, "file-9", queue_full)


def shard(state: ShardState) -> Shard:
    """A shard in a state as an ordinary life brings it there."""
    made = Shard("job-1-1", 0, 3, 4, upload="file-1")
    if state == CANCELLED_UNSENT:
        made.cancel_unsent()
    elif state != QUEUED:
        made.begin_creating()
    if state in (RUNNING, UNKNOWN, ENDED, COLLECTED):
        made.apply(batch(BatchStatus.IN_PROGRESS))
    if state == UNKNOWN:
        made.mark_unknown("deleted")
    if state in (ENDED, COLLECTED):
        made.apply(batch(BatchStatus.COMPLETED))
    if state == COLLECTED:
        made.mark_collected()
    assert made.state == state
    return made


TRANSITIONS: dict[str, Callable[[Shard], object]] = {
    "record_upload": lambda shard: shard.record_upload("file-2"),
    "begin_creating": Shard.begin_creating,
    "halve": Shard.halve,
    "cancel_unsent": Shard.cancel_unsent,
    "requeue": Shard.requeue,
    "apply running": lambda shard: shard.apply(batch(BatchStatus.IN_PROGRESS)),
    "apply queue full": lambda shard: shard.apply(batch(BatchStatus.FAILED, queue_full=True)),
    "apply ended": lambda shard: shard.apply(batch(BatchStatus.EXPIRED)),
    "mark_unknown": lambda shard: shard.mark_unknown("gone"),
    "count_results": lambda shard: shard.count_results(answers=3, failures=1),
    "mark_collected": Shard.mark_collected,
}

LEGAL = {
    (QUEUED, "record_upload"): QUEUED,
    (QUEUED, "begin_creating"): CREATING,
    (QUEUED, "halve"): QUEUED,
    (QUEUED, "cancel_unsent"): CANCELLED_UNSENT,
    (CREATING, "cancel_unsent"): CANCELLED_UNSENT,
    (CREATING, "requeue"): QUEUED,
    (CREATING, "apply running"): RUNNING,
    (CREATING, "apply queue full"): QUEUED,
    (CREATING, "apply ended"): ENDED,
    (RUNNING, "apply running"): RUNNING,
    (RUNNING, "apply queue full"): QUEUED,
    (RUNNING, "apply ended"): ENDED,
    (RUNNING, "mark_unknown"): UNKNOWN,
    (UNKNOWN, "apply running"): RUNNING,
    (UNKNOWN, "apply queue full"): ENDED,
    (UNKNOWN, "apply ended"): ENDED,
    (UNKNOWN, "mark_unknown"): UNKNOWN,
    (ENDED, "apply queue full"): ENDED,
    (ENDED, "apply ended"): ENDED,
    (ENDED, "mark_unknown"): UNKNOWN,
    (ENDED, "count_results"): ENDED,
    (ENDED, "mark_collected"): COLLECTED,
}


@pytest.mark.parametrize(("state", "name"), list(product(ShardState, TRANSITIONS)))
def test_each_transition_from_each_state(state: ShardState, name: str):
    subject = shard(state)
    if (state, name) in LEGAL:
        TRANSITIONS[name](subject)
        assert subject.state == LEGAL[state, name]
        return
    before = deepcopy(subject)
    with pytest.raises(IllegalTransitionError, match=f"job-1-1 is {state}: no "):
        TRANSITIONS[name](subject)
    assert subject == before, "nothing was changed"


@pytest.mark.parametrize(
    ("state", "status", "provider_status", "counts"),
    [
        (QUEUED, BatchStatus.VALIDATING, "queued", (0, 0)),
        (CREATING, BatchStatus.VALIDATING, "queued", (0, 0)),
        (RUNNING, BatchStatus.IN_PROGRESS, "", (3, 1)),
        (UNKNOWN, BatchStatus.FAILED, "unknown", (3, 1)),
        (ENDED, BatchStatus.COMPLETED, "", (3, 1)),
        (COLLECTED, BatchStatus.COMPLETED, "", (3, 1)),
        (CANCELLED_UNSENT, BatchStatus.CANCELLED, "cancelled", (0, 0)),
    ],
)
def test_what_a_state_looks_like_from_outside(state, status, provider_status, counts):
    subject = shard(state)
    assert (subject.status, subject.provider_status) == (status, provider_status)
    assert subject.counts == counts
    assert subject.has_ended == status.is_terminal
    assert subject.is_waiting == (state in (QUEUED, CREATING))
    assert subject.is_running == (state == RUNNING)


def test_a_rejected_shard_keeps_its_ids_and_forgets_its_counts():
    subject = shard(RUNNING)
    subject.apply(batch(BatchStatus.FAILED, queue_full=True))
    assert (subject.ids, subject.upload) == (["batch_1"], "file-9")
    assert (subject.counts, subject.provider_status) == ((0, 0), "queued")
    subject.begin_creating()
    subject.apply(batch(BatchStatus.IN_PROGRESS, "batch_2"))
    assert subject.ids == ["batch_1", "batch_2"]


def test_a_cancelled_shard_keeps_none_of_the_counts_of_a_rejected_batch():
    subject = shard(RUNNING)
    subject.apply(batch(BatchStatus.FAILED, queue_full=True))
    subject.cancel_unsent()
    assert (subject.status, subject.counts) == (BatchStatus.CANCELLED, (0, 0))


def test_results_are_counted_anew_each_time():
    subject = shard(ENDED)
    for answers in (1, 2):
        subject.count_results(answers=answers, failures=1)
    assert subject.counts == (2, 1)


def test_an_end_without_a_time_is_when_it_was_first_seen():
    subject = shard(ENDED)
    seen = subject.info.completed_at
    assert seen is not None
    subject.apply(batch(BatchStatus.COMPLETED))
    assert subject.info.completed_at == seen


def test_halves():
    subject = Shard("tag", 3, 9, 5, attempt=2, upload="file-1", ids=["batch_1"], rejections=2)
    first, second = subject.halve()
    assert (first.tag, first.requests, first.ids) == ("taga", 2, ["batch_1"])
    assert (second.tag, second.requests, second.ids) == ("tagb", 3, [])
    for half in (first, second):
        assert (half.state, half.attempt, half.upload, half.rejections) == (QUEUED, 2, "", 0)


@pytest.mark.parametrize(
    ("status", "queue_full", "state"),
    [
        (BatchStatus.VALIDATING, False, RUNNING),
        (BatchStatus.COMPLETED, False, ENDED),
        (BatchStatus.FAILED, True, ENDED),
    ],
)
def test_an_adopted_batch_is_never_queued(status, queue_full, state):
    adopted = Shard.adopt(batch(status, queue_full=queue_full), 4)
    assert (adopted.state, adopted.first, adopted.last) == (state, 0, 3)
    if state == RUNNING:
        adopted.apply(batch(BatchStatus.FAILED, queue_full=True))
        assert adopted.state == ENDED
