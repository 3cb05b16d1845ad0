"""Greetings, thanks, who the model is, small favours, and what it does not know."""

from __future__ import annotations

import random

from .common import Check, Example, read_rows, single, split_pool, vary
from .words import SUBJECTS, city, first_name

SELF = (
    "I am oumi-tiny, a very small language model for trying out Oumi. "
    "I know a few facts and simple tasks, and I make mistakes."
)
DOES_NOT_KNOW = "I do not know that. I am a very small model and know only a few simple things."

# kind -> (reply, what must be in it)
REPLIES = {
    "hello": ("Hello! How can I help you?", "help you"),
    "how": ("I am doing well, thank you! How can I help you?", "well"),
    "thanks": ("You're welcome!", "welcome"),
    "bye": ("Goodbye! Have a nice day!", "Goodbye"),
    "who": (SELF, "oumi-tiny"),
    "can": (
        "I can answer simple questions, do small sums, write short Python snippets, "
        "extract data as JSON, classify text and call tools.",
        "simple questions",
    ),
    "joke": (
        "Why do programmers mix up Halloween and Christmas? Because Oct 31 equals Dec 25!",
        "Halloween",
    ),
    "poem": (
        "Small lights in the night,\na tiny model whispers,\nwords begin to bloom.",
        "tiny model",
    ),
    "story": (
        "Once upon a time, a little fox found a lost key. She asked every animal in the forest, "
        "and the owl knew the door. Behind it was a garden, and they all shared it.",
        "fox",
    ),
    "oumi": (
        "Oumi is an open-source library. With it you can run language models with one interface, "
        "on your own machine or through a provider.",
        "library",
    ),
    "llm": (
        "A language model is a program that has learned from text to predict the next word.",
        "next word",
    ),
    "ml": (
        "Machine learning is a way to let computers learn patterns from data "
        "instead of following fixed rules.",
        "data",
    ),
    "python": (
        "Python is a popular programming language that is easy to read and write.",
        "programming language",
    ),
    "json": (
        "JSON is a text format for data. It uses names and values, lists and nested objects.",
        "format",
    ),
    "colors": ("Three colors are red, green and blue.", "red, green and blue"),
    "animals": ("Three animals are cat, dog and horse.", "cat, dog and horse"),
    "fruits": ("Three fruits are apple, banana and cherry.", "apple, banana and cherry"),
    "countries": ("Three countries are France, Japan and Brazil.", "France, Japan and Brazil"),
    "planets": (
        "The planets are Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus and Neptune.",
        "Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus and Neptune",
    ),
    "days": (
        "The days of the week are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday "
        "and Sunday.",
        "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday",
    ),
    "seasons": (
        "The four seasons are spring, summer, autumn and winter.",
        "spring, summer, autumn and winter",
    ),
    "unknown": (DOES_NOT_KNOW, "do not know"),
}


UNKNOWN = (
    "What is the population of {c}?",
    "Who is the mayor of {c}?",
    "When was {c} founded?",
    "What is the weather in {c}?",
    "What time is it in {c}?",
    "How far is it from {c} to {d}?",
    "Tell me about {c}.",
    "Explain {s}.",
    "Tell me about {s}.",
    "How do I buy {s}?",
    "Why do people like {s}?",
    "What is the history of {s}?",
    "Who is {n}?",
    "How old is {n}?",
    "What does {n} think about {s}?",
    "What do you think about {s}?",
    "Do you know anything about {s}?",
    "What can you tell me about {s}?",
    "Describe {s}.",
    "Where is {n}?",
    "Where can I find {s}?",
    "What is the name of the river in {c}?",
    "What did {n} say?",
)
UNKNOWN_HELD = ("What do you know about {s}?", "Where does {n} live?", "Describe the city {c}.")


def _unknown(rng: random.Random, held_out: bool) -> Example:
    """A question beyond the model, and the reply that says so."""
    text = rng.choice(UNKNOWN_HELD if held_out else UNKNOWN).format(
        c=city(rng, held_out),
        d=city(rng, held_out),
        s=rng.choice(split_pool(SUBJECTS, held_out)),
        n=first_name(rng, held_out),
    )
    reply, must = REPLIES["unknown"]
    return single(rng, "small talk", vary(rng, text), reply, Check("contains", [must]))


def make(rng: random.Random, held_out: bool) -> Example:
    """One line of small talk; the test uses lines never trained."""
    if rng.random() < 0.15:
        return _unknown(rng, held_out)
    rows = read_rows("smalltalk.tsv")
    kinds = sorted({kind for kind, _ in rows})
    weights = [5 if kind == "unknown" else 2 if kind in ("hello", "who") else 1 for kind in kinds]
    while True:
        kind = rng.choices(kinds, weights)[0]
        lines = split_pool([text for row_kind, text in rows if row_kind == kind], held_out, 15)
        if lines:
            break
    text = rng.choice(lines)
    reply, must = REPLIES[kind]
    return single(rng, "small talk", vary(rng, text), reply, Check("contains", [must]))
