"""Seeds of samples and of equal rows."""

from __future__ import annotations

from oumi.core.digest import new_digest

_SEEDS = 2**31
"""Every engine and API takes seeds of 31 bits; some no larger ones."""


def sample_seed(seed: int, sample: int, repeat: int = 0) -> int:
    """The seed of a sample, from that of the run or the row: this seed itself for the first sample
    of the first of equal rows.

    A hash rather than a sum: runs under seeds that follow one another would share most samples.
    """
    if sample == repeat == 0:
        return seed
    digest = new_digest()
    digest.update(f"{seed} {sample} {repeat}".encode())
    return int.from_bytes(digest.digest()[:8], "big") % _SEEDS
