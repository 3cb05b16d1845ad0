"""Classification: the label set is in the prompt, the reply is the label alone."""

from __future__ import annotations

import random
from collections.abc import Callable

from .common import Check, Example, capitalize, is_held_out, pool, read_rows, single

Draw = Callable[[random.Random], tuple[str, str]]

THINGS = pool("things")
PRAISE = pool("praise")
BLAME = pool("blame")
POSITIVE = (
    "I love this {t}!",
    "The {t} was {p}.",
    "What a {p} {t}!",
    "I really enjoyed the {t}, it was {p}.",
    "The {t} is {p} and I would recommend it.",
    "Best {t} ever, simply {p}.",
    "I am very happy with the {t}.",
    "A {p} {t} from start to end.",
    "The {t} made my day.",
    "This {t} is {p}, I will come back.",
)
NEGATIVE = (
    "I hate this {t}!",
    "The {t} was {b}.",
    "What a {b} {t}!",
    "I really disliked the {t}, it was {b}.",
    "The {t} is {b} and I would not recommend it.",
    "Worst {t} ever, simply {b}.",
    "I am very unhappy with the {t}.",
    "A {b} {t} from start to end.",
    "The {t} ruined my day.",
    "This {t} is {b}, I want my money back.",
    "The {t} was a waste of money.",
)
NEUTRAL = (
    "The {t} arrived on {d}.",
    "I used the {t} on {d}.",
    "The {t} was okay, nothing special.",
    "The {t} is neither good nor bad.",
    "I saw the {t} on {d}.",
    "The {t} is average.",
    "The {t} opens on {d}.",
)
DAYS = pool("days")
URGENT = (
    "The {m} is down and {w} cannot work!",
    "Help, the {m} stopped working right now!",
    "We need the {m} fixed immediately.",
    "Emergency: the {m} is on fire!",
    "The {m} crashed and {w} are waiting, please hurry.",
    "Please repair the {m} as soon as possible, {w} are blocked.",
    "Critical failure of the {m}, act now.",
)
CALM = (
    "When you have time, please look at the {m}.",
    "No hurry, but the {m} could be cleaned some day.",
    "Could you update the {m} next month?",
    "Just a small idea for the {m}, no rush.",
    "The {m} works fine, I only have a question.",
    "Some time this year {w} would like a new {m}.",
    "At your convenience, tell {w} about the {m}.",
)
MACHINES = pool("machines")
PEOPLE = pool("people")
SPAM = (
    "You have won a free {g}! Click here now!",
    "Congratulations, claim your {g} today!",
    "Limited offer: get a {g} for free, reply now!",
    "Make money fast and win a {g}!",
    "Click this link to receive your {g}!!!",
    "Your {g} is waiting, send your card number now!",
)
HAM = (
    "Can we meet on {d} to talk about the {g}?",
    "I left the {g} at home, see you on {d}.",
    "The meeting about the {g} is moved to {d}.",
    "Thanks for the {g} that you sent on {d}.",
    "Please bring the {g} on {d}.",
    "Mom asks if you still have the {g}.",
)
GIFTS = pool("gifts")
ASKS = (
    "Classify the {k} of this text as {l}: {t}",
    "Classify the following text as {l}: {t}",
    "Is this text {l}? {t}",
    "Is the {k} of this text {l}?\n{t}",
    "{t}\n\nClassify the {k} as {l}.",
    "What is the {k} of this text? Choose from {l}.\n\n{t}",
    "Label this text with one of {l}: {t}",
    "Text: {t}\nLabels: {c}\nAnswer with one label.",
    "Classify as {l}: {t}",
    "Text: {t}\n{K} ({c}):",
)
OPEN_ASKS = (
    "What is the sentiment of this text? {t}",
    "Classify the sentiment: {t}",
    "Sentiment: {t}",
    "Classify the sentiment of: {t}",
)
OPEN_ASKS_HELD = ("What sentiment does this text have? {t}",)
ASKS_HELD = (
    "Decide whether the {k} of this text is {l}: {t}",
    "Which label fits this text, {l}? {t}",
)


def _fill(rng: random.Random, pattern: str) -> str:
    return pattern.format(
        t=rng.choice(THINGS),
        p=rng.choice(PRAISE),
        b=rng.choice(BLAME),
        d=rng.choice(DAYS),
        m=rng.choice(MACHINES),
        w=rng.choice(PEOPLE),
        g=rng.choice(GIFTS),
    )


def _sentiment(rng: random.Random) -> tuple[str, str]:
    label = rng.choice(("positive", "positive", "negative", "negative", "neutral"))
    patterns = {"positive": POSITIVE, "negative": NEGATIVE, "neutral": NEUTRAL}[label]
    return _fill(rng, rng.choice(patterns)), label


def _urgency(rng: random.Random) -> tuple[str, str]:
    label = rng.choice(("high", "low"))
    return _fill(rng, rng.choice(URGENT if label == "high" else CALM)), label


def _spam(rng: random.Random) -> tuple[str, str]:
    label = rng.choice(("spam", "not spam"))
    return _fill(rng, rng.choice(SPAM if label == "spam" else HAM)), label


def _topic(rng: random.Random) -> tuple[str, str]:
    rows = read_rows("topics.tsv")
    label, nouns, verbs = rng.choice(rows)
    noun, other = rng.sample(nouns.split("|"), 2)
    pattern = rng.choice(
        (
            "The {n} {v}.",
            "{N} news: the {o} {v}.",
            "Yesterday the {n} and the {o} {v}.",
            "Everyone talks about the {n}.",
            "A new {n} is better than the old {o}.",
            "We read about the {n} that {v}.",
            "I have a question about the {n} and the {o}.",
        )
    )
    text = pattern.format(n=noun, N=capitalize(noun), o=other, v=rng.choice(verbs.split("|")))
    return text, label


KINDS: dict[str, tuple[Draw, tuple[str, ...]]] = {
    "sentiment": (_sentiment, ("positive", "negative", "neutral")),
    "urgency": (_urgency, ("high", "low")),
    "category": (_spam, ("spam", "not spam")),
    "topic": (_topic, ("sports", "technology", "food", "travel", "health", "music", "money")),
}


def _draw_text(rng: random.Random, draw: Draw, held_out: bool) -> tuple[str, str]:
    while True:
        text, label = draw(rng)
        if is_held_out(text, 12) == held_out:
            return text, label


def _choose_labels(rng: random.Random, labels: tuple[str, ...], label: str) -> list[str]:
    others = [other for other in labels if other != label]
    if len(labels) > 3:
        others = rng.sample(others, rng.choice((1, 2, 3)))
    elif len(labels) == 3 and label != "neutral" and rng.random() < 0.5:
        others.remove("neutral")
    chosen = [label, *others]
    rng.shuffle(chosen)
    return chosen


def _listed(labels: list[str]) -> str:
    return ", ".join(labels[:-1]) + " or " + labels[-1]


def make(rng: random.Random, held_out: bool) -> Example:
    """One text with its label set."""
    kind = rng.choice(list(KINDS))
    draw, labels = KINDS[kind]
    text, label = _draw_text(rng, draw, held_out)
    case = rng.choice((str, str, str, capitalize, str.upper))
    shown = [case(name) for name in _choose_labels(rng, labels, label)]
    pattern = rng.choice(ASKS_HELD if held_out else ASKS)
    question = pattern.format(
        k=kind, K=capitalize(kind), l=_listed(shown), c=", ".join(shown), t=text
    )
    if kind == "sentiment" and rng.random() < 0.2:
        case = str
        question = rng.choice(OPEN_ASKS_HELD if held_out else OPEN_ASKS).format(t=text)
    return single(rng, "classification", question, case(label), Check("equals", case(label)))
