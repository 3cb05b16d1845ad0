"""Sentences about a person, to be turned into JSON with name, age and city."""

from __future__ import annotations

import json
import random

from .common import Check, Example, single
from .words import city, first_name, made_up

ASKS = (
    "Extract the person as JSON: {t}",
    "Extract name, age and city as JSON: {t}",
    "Extract the person's name, age and city as JSON from: {t}",
    "Turn this into JSON with name, age and city: {t}",
    "{t}\n\nExtract the person as JSON.",
)
ASKS_HELD = ("Please extract the person as JSON: {t}",)
TEXTS = (
    "{n} is {a} years old and lives in {c}.",
    "My name is {n}, I am {a} and I live in {c}.",
    "{n}, {a}, from {c}.",
    "{n} from {c} is {a} years old.",
    "This is {n}. The home of {n} is {c} and the age is {a}.",
    "I met {n} in {c}, who just turned {a}.",
    "{n} lives in {c} and is {a}.",
)
TEXTS_HELD = ("Meet {n}, aged {a}, who lives in {c}.", "{n} is {a} and comes from {c}.")


def make(rng: random.Random, held_out: bool) -> Example:
    """One sentence to turn into JSON."""
    name = first_name(rng, held_out)
    if rng.random() < 0.3:
        name += " " + made_up(rng, held_out)
    person = {"name": name, "age": rng.randint(1, 99), "city": city(rng, held_out)}
    fill = {"n": name, "a": person["age"], "c": person["city"]}
    side = held_out and rng.random() < 0.7
    text = rng.choice(TEXTS_HELD if side else TEXTS).format(**fill)
    question = rng.choice(ASKS_HELD if held_out else ASKS).format(t=text)
    reply = json.dumps(person, ensure_ascii=False)
    return single(rng, "extraction", question, reply, Check("json", person))
