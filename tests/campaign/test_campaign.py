"""A minute of the fault campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.play import play
from tests.campaign.rounds import KINDS

SECONDS_A_KIND = 20


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happens_the_promises_are_kept(kind: str, library: Path):
    counts = play(SECONDS_A_KIND, seed=1000, kinds=[kind], library=library)
    assert counts[kind] >= 1
