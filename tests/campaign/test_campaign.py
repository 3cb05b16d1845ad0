"""A minute of the fault campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.kinds import KINDS
from tests.campaign.play import play

SECONDS = 60


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happens_the_promises_are_kept(kind: str, library: Path):
    figures = play(SECONDS / len(KINDS), seed=1000, kinds=[kind], library=library)
    assert figures[f"rounds of {kind}"] >= 1
    assert figures["rows"] > 0
