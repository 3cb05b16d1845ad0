"""Pools of words and made-up names."""

from __future__ import annotations

import random
import re
from functools import cache

from .common import TABLES, is_held_out, pool, read_rows, split_pool

FIRST_NAMES = pool("first_names")
COLORS = pool("colors")
_ONSETS = pool("onsets")
_VOWELS = pool("vowels")
_CODAS = ["", "", "", "n", "x", "r", "l", "s", "m", "t", "ck", "nd"]
CITIES = pool("cities")

SUBJECTS = pool("subjects")


def cities() -> list[str]:
    """Capitals and other large cities."""
    capitals = [row[1] for row in read_rows("countries.tsv") if row[1] != "-"]
    return sorted({*CITIES, *capitals})


def city(rng: random.Random, held_out: bool) -> str:
    """A city of one side of the split."""
    return rng.choice(split_pool(cities(), held_out))


def made_up(rng: random.Random, held_out: bool) -> str:
    """A pronounceable word that does not exist."""
    while True:
        count = rng.choice((2, 2, 3))
        parts = [
            rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(count)
        ]
        word = "".join(parts).capitalize()
        if is_held_out(word, 15) == held_out:
            return word


def first_name(rng: random.Random, held_out: bool) -> str:
    """A first name, sometimes a made-up one."""
    if rng.random() < 0.3:
        return made_up(rng, held_out)
    return rng.choice(split_pool(FIRST_NAMES, held_out))


@cache
def every_word() -> list[str]:
    """Every word of the tables, so that copying is practised on all of them."""
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(TABLES.iterdir()))
    return sorted(set(re.findall(r"[A-Za-z][a-z]+", text)))


def any_word(rng: random.Random) -> str:
    """A word of the tables; which ones meet in a text is what the split decides."""
    return rng.choice(every_word())
