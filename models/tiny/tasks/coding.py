"""Short Python how-tos, answered with one code block."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from .common import TABLES, Check, Example, assistant, capitalize, maybe_system, system, user, vary

TRAIN = (
    "How do I {t} in Python?",
    "How do I {t} in Python?",
    "How can I {t} in Python?",
    "How do you {t} in Python?",
    "Show me how to {t} in Python.",
    "Write Python code to {t}.",
    "{t} in Python",
    "{T} in Python.",
    "{T} with Python",
    "I need to {t} in Python.",
    "I would like to {t} with Python.",
    "I have to {t} in Python, please help.",
    "Please show me Python code to {t}.",
    "What is the best way to {t} in Python?",
    "Help me {t} in Python.",
    "Python code to {t}",
    "How to {t} in Python?",
    "Can you show me how to {t} in Python?",
    "How do I {t}?",
    "Give me a Python example: {t}.",
    "What is the Python code to {t}?",
)
HELD = (
    "What is the way to {t} in Python?",
    "I want to {t} in Python. How does that work?",
    "Please write a bit of Python to {t}.",
)
CODER = "You are a helpful coding assistant."


@dataclass(frozen=True)
class Recipe:
    """One how-to: the ways to name it, and the reply."""

    topics: tuple[str, ...]
    reply: str

    @property
    def code(self) -> str:
        """The code block alone."""
        return self.reply.split("```python\n")[1].split("```")[0]


@cache
def recipes() -> tuple[Recipe, ...]:
    """Every how-to of the table."""
    sections = (TABLES / "python.md").read_text(encoding="utf-8").split("## ")[1:]
    found = []
    for section in sections:
        title, reply = section.split("\n", 1)
        found.append(Recipe(tuple(part.strip() for part in title.split("|")), reply.strip()))
    return tuple(found)


def make(rng: random.Random, held_out: bool) -> Example:
    """One how-to question."""
    all_recipes = recipes()
    recipe = all_recipes[0] if rng.random() < 0.06 else rng.choice(all_recipes)
    topic = rng.choice(recipe.topics)
    question = rng.choice(HELD if held_out else TRAIN).format(t=topic, T=capitalize(topic))
    opening = [system(CODER)] if rng.random() < 0.3 else maybe_system(rng)
    messages = [*opening, user(vary(rng, question)), assistant(recipe.reply)]
    return Example("python", messages, Check("code", recipe.code))
