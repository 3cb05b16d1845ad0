"""Which sequences NATIVE prefills next."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from oumi.backends.local.native.prompt import Prompt
from oumi.backends.local.native.sampling import SamplingState, make_random
from oumi.backends.local.native.scheduler import Scheduler
from oumi.backends.local.native.sequence import Sequence
from oumi.runner.request import Request
from tests.conftest import ask
from tests.engines.asking import generation

SAMPLER: Any = object()
DETOKENIZER: Any = object()


def sequence(prompt_tokens: int, *, image: bool = False, **fields: object) -> Sequence:
    images = {"pixel_values": "an image"} if image else {}
    prompt = Prompt(Request(ask("Hi"), generation(**fields)), [5] * prompt_tokens, images)
    state = SamplingState(make_random(None, ""))
    return Sequence(prompt, SAMPLER, state, DETOKENIZER, max_new_tokens=8, end_ids=frozenset())


def scheduler(*waiting: Sequence, most: int = 8, continuous_batching: bool = True) -> Scheduler:
    made = Scheduler(most, continuous_batching=continuous_batching)
    for one in waiting:
        made.add(one)
    return made


def lengths(sequences: list[Sequence]) -> list[int]:
    return [len(one.prompt.ids) for one in sequences]


def test_a_round_goes_from_short_to_long_and_later_arrivals_wait_for_the_next():
    queue = scheduler(*map(sequence, (30, 10, 40, 20)), most=2)
    assert lengths(queue.schedule(running=0)) == [10, 20]
    queue.add(sequence(5))
    assert lengths(queue.schedule(running=0)) == [30, 40], "before a shorter one that came later"
    assert lengths(queue.schedule(running=0)) == [5]
    assert not queue.has_waiting
    assert queue.schedule(running=0) == []


def test_nothing_is_prefilled_before_a_quarter_of_the_slots_is_free():
    queue = scheduler(*map(sequence, (10, 20, 30)))
    assert queue.schedule(running=8) == queue.schedule(running=7) == []
    assert lengths(queue.schedule(running=6)) == [10, 20]
    assert lengths(queue.schedule(running=7)) == [30], "all that wait fit into one slot"


def test_a_prefill_is_bounded_by_its_padded_tokens():
    queue = scheduler(*map(sequence, (10, 4000, 4000, 6000, 20_000)))
    prefills = []
    while queue.has_waiting:
        prefills.append(lengths(queue.schedule(running=0)))
    assert prefills == [[10, 4000, 4000], [6000], [20_000]]


def test_images_are_prefilled_alone():
    queue = scheduler(sequence(10, image=True), sequence(20, image=True), sequence(30))
    assert [lengths(queue.schedule(running=0)) for _ in range(3)] == [[10], [20], [30]]


def test_cancelled_sequences_are_dropped():
    left = sequence(10)
    queue = scheduler(left, sequence(20))
    left.future.cancel()
    assert lengths(queue.schedule(running=0)) == [20]


def test_beams_and_other_caches_take_all_slots_whatever_runs():
    queue = scheduler(*(sequence(length, num_beams=2) for length in (10, 20)))
    assert lengths(queue.schedule(running=8)) == [10, 20]
    queue = scheduler(*map(sequence, (10, 20)), continuous_batching=False)
    assert lengths(queue.schedule(running=8)) == [10, 20]
