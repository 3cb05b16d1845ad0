"""What happens to files between and during the calls of a round."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.campaign.rows import MakeRows, Row, write_rows

_LEAST_BYTES = 2000  # what is left is a journal still, by its other lines


def damage_journal(rng: random.Random, journal: Path) -> str:
    """Flip a bit, tear the end off, put noise in, or lose a stretch. Returns what was done."""
    if not journal.exists() or journal.stat().st_size < _LEAST_BYTES:
        return "journals: too short to damage"
    data = bytearray(journal.read_bytes())
    place = rng.randrange(len(data))
    match rng.randrange(4):
        case 0:
            data[place] ^= 1 << rng.randrange(8)
            what = "flipped bit"
        case 1:
            del data[place:]
            what = "torn end"
        case 2:
            data[place:place] = rng.randbytes(30)
            what = "noise"
        case _:
            stretch = min(40, len(data) - place)
            data[place : place + stretch] = bytes(stretch)
            what = "zeros"
    journal.write_bytes(data)
    return f"journals: {what}"


def change_input(rng: random.Random, source: Path, rows: list[Row], make: MakeRows) -> list[Row]:
    """Reorder, shorten or extend the rows, moved into place or written in place."""
    changed = list(rows)
    match rng.randrange(3):
        case 0:
            rng.shuffle(changed)
        case 1:
            del changed[rng.randrange(1, len(changed)) :]
        case _:
            first = rng.randrange(10**6, 10**9)  # no number of a row that was taken out before
            changed += make(rng, rng.randrange(1, 10), first)
    if rng.random() < 0.5:
        write_rows(source, changed)
    else:
        other = source.with_name("other.jsonl")
        write_rows(other, changed)
        os.replace(other, source)
    return changed
