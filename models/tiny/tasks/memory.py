"""Chats of several turns, where a later one refers to an earlier one."""

from __future__ import annotations

import random

from . import arithmetic, facts
from .common import Check, Example, Message, assistant, maybe_system, pool, user
from .words import COLORS, city, first_name, made_up

ANIMALS = pool("animals")
# what is remembered -> tellings, first reply, questions (last held out), last reply
TOLD = {
    "name": (
        ("My name is {v}.", "Hi, I'm {v}.", "I am {v}.", "Hello, my name is {v}!", "Call me {v}."),
        "Nice to meet you, {v}!",
        (
            "What is my name?",
            "What's my name?",
            "Who am I?",
            "Do you remember my name?",
            "Tell me my name.",
            "Can you tell me my name?",
            "Please say my name.",
        ),
        "Your name is {v}.",
    ),
    "number": (
        (
            "My favorite number is {v}.",
            "Remember the number {v}.",
            "My number is {v}.",
            "Please remember this number: {v}",
        ),
        "I will remember the number {v}.",
        (
            "What is my number?",
            "Which number did I tell you?",
            "What number did I say?",
            "What is my favorite number?",
            "Do you remember my number?",
            "Can you tell me my number?",
        ),
        "Your number is {v}.",
    ),
    "color": (
        (
            "My favorite color is {v}.",
            "I like the color {v}.",
            "I love {v}, it is my favorite color.",
        ),
        "I will remember that you like {v}.",
        (
            "What is my favorite color?",
            "Which color do I like?",
            "What's my favorite color?",
            "Do you remember my favorite color?",
            "Can you tell me my favorite color?",
        ),
        "Your favorite color is {v}.",
    ),
    "city": (
        ("I live in {v}.", "My home is in {v}.", "I am from {v}."),
        "I will remember that you live in {v}.",
        (
            "Where do I live?",
            "Which city do I live in?",
            "In which city do I live?",
            "Do you remember where I live?",
            "Can you tell me where I live?",
        ),
        "You live in {v}.",
    ),
    "pet": (
        ("I have a {a} called {v}.", "My {a} is called {v}.", "My {a}'s name is {v}."),
        "{v} is a nice name for a {a}.",
        (
            "What is my {a} called?",
            "What is the name of my {a}?",
            "What's my {a}'s name?",
            "Do you remember the name of my {a}?",
            "Can you tell me the name of my {a}?",
        ),
        "Your {a} is called {v}.",
    ),
}
AGAIN = ("And of {s}?", "And {s}?", "What about {s}?", "How about {s}?")
AGAIN_HELD = ("And what about {s}?", "And how about {s}?")
FOLLOWED = ("capital", "continent", "currency", "language", "symbol", "opposite", "plural", "past")


def _value(rng: random.Random, kind: str, held_out: bool) -> str:
    if kind == "name":
        return first_name(rng, held_out)
    if kind == "number":
        return str(rng.randint(0, 9999))
    if kind == "color":
        return rng.choice(COLORS)
    return city(rng, held_out) if kind == "city" else made_up(rng, held_out)


def _pair(rng: random.Random, kind: str, held_out: bool) -> tuple[list[Message], list[Message]]:
    """The telling with its reply, and the question with its reply."""
    tell, reply, questions, final = TOLD[kind]
    fill = {"v": _value(rng, kind, held_out), "a": rng.choice(ANIMALS)}
    question = questions[-1] if held_out else rng.choice(questions[:-1])
    told = [user(rng.choice(tell).format(**fill)), assistant(reply.format(**fill))]
    return told, [user(question.format(**fill)), assistant(final.format(**fill))]


def _between(rng: random.Random) -> list[Message]:
    """An unrelated question and its answer."""
    if rng.random() < 0.5:
        problem = arithmetic.draw_sum(rng, False)
        return [user(arithmetic.ask(rng, problem, False)), assistant(arithmetic.state(problem))]
    fact = facts.draw_fact(rng)
    return [user(facts.ask(rng, fact, False)), assistant(facts.state(fact))]


def _recall(rng: random.Random, held_out: bool) -> Example:
    kinds = rng.sample(list(TOLD), rng.choice((1, 1, 2)))
    pairs = [_pair(rng, kind, held_out) for kind in kinds]
    messages = [message for told, _ in pairs for message in told]
    if rng.random() < 0.35:
        messages += _between(rng)
    _, asked = rng.choice(pairs)
    messages = [*maybe_system(rng), *messages, *asked]
    return Example("two turns", messages, Check("equals", asked[-1]["content"]))


def _follow_up(rng: random.Random, held_out: bool) -> Example:
    pool = [fact for fact in facts.all_facts() if fact.relation in FOLLOWED]
    first = rng.choice(pool)
    same = [fact for fact in pool if fact.relation == first.relation and fact != first]
    second = rng.choice(same)
    again = rng.choice(AGAIN_HELD if held_out else AGAIN).format(s=second.subject)
    messages = [
        *maybe_system(rng),
        user(facts.ask(rng, first, False)),
        assistant(facts.state(first)),
        user(again),
        assistant(facts.state(second)),
    ]
    return Example("two turns", messages, Check("contains", [second.value]))


def make(rng: random.Random, held_out: bool) -> Example:
    """A recall of something told, or a follow-up question."""
    return _recall(rng, held_out) if rng.random() < 0.65 else _follow_up(rng, held_out)
