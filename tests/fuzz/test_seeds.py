"""The seeds of fuzzing, and findings of before, break nothing."""

from __future__ import annotations

import time

import pytest

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_whole_and_cut_off(name: str):
    started_s = time.process_time()
    for seed in SEEDS[name]:
        TARGETS[name](seed)
        TARGETS[name](seed[: len(seed) // 2])
    assert time.process_time() - started_s < 20


def test_each_target_has_seeds():
    assert SEEDS.keys() == TARGETS.keys()
    assert all(SEEDS.values())
