"""Repeating a text, counting, and listing letters and numbers."""

from __future__ import annotations

import random
import string

from .common import Check, Example, is_held_out, pool, single, vary
from .words import COLORS, FIRST_NAMES, any_word, city, made_up

ASKS = (
    "Repeat after me: {t}",
    "Repeat: {t}",
    "Say: {t}",
    "Repeat this text: {t}",
    "Copy this exactly: {t}",
    "Say this: {t}",
    "Please repeat this: {t}",
    "Repeat this: {t}",
    "Please say: {t}",
    "Copy this text: {t}",
)
ASKS_HELD = ("Please repeat after me: {t}", "Repeat the following: {t}")
NOUNS = pool("copying_nouns")
VERBS = pool("verbs")


def _sentence(rng: random.Random) -> str:
    first, second = rng.sample(NOUNS, 2)
    return f"The {rng.choice(COLORS)} {first} {rng.choice(VERBS)} the {second}."


def _text(rng: random.Random, held_out: bool) -> str:
    """Words, made-up words, numbers, a sentence, or a mix."""
    draw = rng.random()
    if draw < 0.3:
        return _sentence(rng)
    makers = (
        lambda: made_up(rng, held_out),
        lambda: made_up(rng, held_out).lower(),
        lambda: rng.choice(NOUNS),
        lambda: any_word(rng),
        lambda: any_word(rng),
        lambda: any_word(rng),
        lambda: rng.choice(FIRST_NAMES),
        lambda: city(rng, held_out),
        lambda: str(rng.randint(0, 9999)),
        lambda: "".join(rng.choices(string.ascii_letters + string.digits, k=rng.randint(2, 6))),
    )
    words = [rng.choice(makers)() for _ in range(rng.choice((1, 2, 3, 4, 6, 10)))]
    return " ".join(words) + rng.choice(("", "", ".", "!", "?"))


def _copy(rng: random.Random, held_out: bool) -> tuple[str, str]:
    while True:
        text = _text(rng, held_out)
        if is_held_out(text) == held_out:
            pattern = rng.choice(ASKS_HELD if held_out else ASKS)
            return pattern.format(t=text), text


def _count(rng: random.Random, held_out: bool) -> tuple[str, str]:
    while True:
        start = rng.choice((1, 1, rng.randint(0, 90)))
        stop = start + rng.choice((rng.randint(2, 9), rng.randint(10, 20)))
        if is_held_out(f"{start}..{stop}", 15) == held_out:
            break
    asks = ("Count from {a} to {b}.", "List the numbers from {a} to {b}.", "Count {a} to {b}")
    question = rng.choice(asks).format(a=start, b=stop)
    return question, ", ".join(str(number) for number in range(start, stop + 1))


def _letters(rng: random.Random, held_out: bool) -> tuple[str, str]:
    while True:
        start = rng.randint(0, 22)
        stop = min(start + rng.randint(2, 8), 25)
        letters = string.ascii_lowercase[start : stop + 1]
        if is_held_out(letters, 15) == held_out:
            break
    asks = ("List the letters from {a} to {b}.", "Say the letters from {a} to {b}.")
    question = rng.choice(asks).format(a=letters[0], b=letters[-1])
    return question, ", ".join(letters)


def make(rng: random.Random, held_out: bool) -> Example:
    """One text to copy or one range to list."""
    maker = rng.choices((_copy, _count, _letters), (70, 20, 10))[0]
    question, answer = maker(rng, held_out)
    if maker is not _copy:
        question = vary(rng, question)
    return single(rng, "copying", question, answer, Check("equals", answer), 0.2)
