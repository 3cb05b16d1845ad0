"""What happens to files between and during the calls of a round."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.campaign.rows import Row, make_rows, write_rows


def damage_journal(rng: random.Random, journal: Path) -> int:
    """Flip a bit, tear the end off, or put noise in. Returns how many records it may cost."""
    if not journal.exists() or journal.stat().st_size < 40:
        return 0
    data = bytearray(journal.read_bytes())
    place = rng.randrange(len(data))
    match rng.randrange(4):
        case 0:
            data[place] ^= 1 << rng.randrange(8)
            lost = 2  # a flipped line end damages the lines on both sides
        case 1:
            lost = data[place:].count(b"\n") + 1
            del data[place:]
        case 2:
            data[place:place] = rng.randbytes(30)
            lost = 2
        case _:
            data[place : place + 40] = bytes(min(40, len(data) - place))
            lost = 2
    journal.write_bytes(data)
    return lost


def change_input(rng: random.Random, source: Path, rows: list[Row]) -> list[Row]:
    """Reorder, shorten or extend the rows, moved into place or written in place."""
    changed = list(rows)
    match rng.randrange(3):
        case 0:
            rng.shuffle(changed)
        case 1:
            del changed[rng.randrange(1, len(changed)) :]
        case _:
            first = max(row["number"] for row in rows) + 1
            changed += make_rows(rng, rng.randrange(1, 10), first)
    if rng.random() < 0.5:
        write_rows(source, changed)
    else:
        other = source.with_name("other.jsonl")
        write_rows(other, changed)
        os.replace(other, source)
    return changed
