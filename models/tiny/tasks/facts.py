"""Facts: countries, elements, words, days, planets and the like."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from .common import Check, Example, capitalize, pool, read_rows, single, vary


@dataclass(frozen=True)
class Relation:
    """How one kind of fact is asked for and answered; `held` phrasings are never trained."""

    train: tuple[str, ...]
    held: tuple[str, ...]
    answer: str
    weight: float = 1.0


@dataclass(frozen=True)
class Fact:
    """One row: its relation, what is asked about, and the value."""

    relation: str
    subject: str
    value: str


def _relation(answer: str, held: str, *train: str, weight: float = 1.0) -> Relation:
    return Relation(train, tuple(held.split("|")), answer, weight)


POPULAR = frozenset(pool("popular"))
RELATIONS = {
    "capital": _relation(
        "The capital of {s} is {v}.",
        "What is the name of the capital of {s}?|Could you tell me the capital of {s}?",
        "What is the capital of {s}?",
        "What is the capital of {s}?",
        "What's the capital of {s}?",
        "Which city is the capital of {s}?",
        "Tell me the capital of {s}.",
        "Name the capital city of {s}.",
        "What is the capital city of {s}?",
        "capital of {s}?",
        "Do you know the capital of {s}?",
        weight=3.0,
    ),
    "country": _relation(
        "{v} is the capital of {s}.",
        "Which country's capital is {v}?",
        "{v} is the capital of which country?",
        "Which country has {v} as its capital?",
        "What country is {v} the capital of?",
        "Of which country is {v} the capital?",
        "Tell me which country has the capital {v}.",
        "What country has the capital {v}?",
    ),
    "continent": _relation(
        "{S} is in {v}.",
        "Could you tell me which continent {s} is in?|What continent is {s} part of?",
        "Which continent is {s} in?",
        "What continent is {s} in?",
        "On which continent is {s}?",
        "Tell me the continent of {s}.",
        "Where is {s}?",
    ),
    "currency": _relation(
        "The currency of {s} is the {v}.",
        "Which currency is used in {s}?|What is the name of the currency of {s}?",
        "What is the currency of {s}?",
        "What's the currency of {s}?",
        "What currency does {s} use?",
        "Tell me the currency of {s}.",
        "What money do people use in {s}?",
    ),
    "language": _relation(
        "People in {s} speak {v}.",
        "Which language is spoken in {s}?|What is the main language of {s}?",
        "What language do people speak in {s}?",
        "What language is spoken in {s}?",
        "Which languages are spoken in {s}?",
        "Which language do they speak in {s}?",
        "Tell me a language of {s}.",
        "Name an official language of {s}.",
    ),
    "symbol": _relation(
        "The chemical symbol for {s} is {v}.",
        "Which chemical symbol does {s} have?",
        "What is the chemical symbol for {s}?",
        "What's the chemical symbol of {s}?",
        "What is the symbol for the element {s}?",
        "Which symbol does {s} have?",
        "Give me the chemical symbol for {s}.",
    ),
    "element": _relation(
        "{v} is the chemical symbol for {s}.",
        "Which element does the symbol {v} stand for?",
        "Which element has the symbol {v}?",
        "What element has the chemical symbol {v}?",
        "What does the symbol {v} stand for?",
        "{v} is the symbol of which element?",
    ),
    "formula": _relation(
        "The chemical formula of {s} is {v}.",
        "Which chemical formula does {s} have?",
        "What is the chemical formula of {s}?",
        "What's the formula for {s}?",
        "Give me the chemical formula of {s}.",
    ),
    "opposite": _relation(
        'The opposite of "{s}" is "{v}".',
        "Which word is the opposite of {s}?",
        "What is the opposite of {s}?",
        'What is the opposite of "{s}"?',
        "What's the opposite of {s}?",
        "Give me the antonym of {s}.",
        "Name the opposite of {s}.",
    ),
    "plural": _relation(
        'The plural of "{s}" is "{v}".',
        'Could you tell me the plural of "{s}"?',
        "What is the plural of {s}?",
        'What is the plural of "{s}"?',
        "What's the plural form of {s}?",
        "Give me the plural of {s}.",
    ),
    "past": _relation(
        'The past tense of "{s}" is "{v}".',
        'Could you tell me the past tense of "{s}"?',
        "What is the past tense of {s}?",
        'What is the past tense of "{s}"?',
        "Give me the past tense of {s}.",
        "What's the past tense of the verb {s}?",
    ),
    "sound": _relation(
        "A {s} says {v}.",
        "Which sound does a {s} make?",
        "What sound does a {s} make?",
        "What does a {s} say?",
        "Tell me the sound of a {s}.",
    ),
    "young": _relation(
        "A young {s} is called a {v}.",
        "What do you call a young {s}?",
        "What is a young {s} called?",
        "What is a baby {s} called?",
        "What do we call a baby {s}?",
    ),
    "legs": _relation(
        "A {s} has {v} legs.",
        "Tell me how many legs a {s} has.",
        "How many legs does a {s} have?",
        "How many legs has a {s}?",
        "What is the number of legs of a {s}?",
    ),
    "sides": _relation(
        "A {s} has {v} sides.",
        "Tell me how many sides a {s} has.",
        "How many sides does a {s} have?",
        "How many sides has a {s}?",
        "What is the number of sides of a {s}?",
    ),
    "color": _relation(
        "The color of {s} is {v}.",
        "Which color does {s} have?",
        "What color is {s}?",
        "Which color is {s}?",
        "What color does {s} have?",
        "What is the color of {s}?",
        "Tell me the color of {s}.",
        "What colour is {s}?",
    ),
    "day_after": _relation(
        "The day after {s} is {v}.",
        "Which day follows {s}?",
        "What day comes after {s}?",
        "What day follows {s}?",
        "Which day is after {s}?",
        "What is the day after {s}?",
        "If today is {s}, what day is tomorrow?",
    ),
    "day_before": _relation(
        "The day before {s} is {v}.",
        "Which day is right before {s}?",
        "What day comes before {s}?",
        "Which day is before {s}?",
        "What is the day before {s}?",
        "If today is {s}, what day was yesterday?",
    ),
    "month_after": _relation(
        "The month after {s} is {v}.",
        "Which month follows {s}?",
        "What month comes after {s}?",
        "What month follows {s}?",
        "Which month is after {s}?",
        "What is the month after {s}?",
    ),
    "days_in": _relation(
        "{s} has {v} days.",
        "Tell me how many days {s} has.",
        "How many days does {s} have?",
        "How many days are in {s}?",
        "How many days are there in {s}?",
    ),
    "unit": _relation(
        "{v} {s}.",
        "Tell me how many {s}.|Do you know how many {s}?",
        "How many {s}?",
        "Can you tell me how many {s}?",
        "Please say how many {s}.",
    ),
    "planet_place": _relation(
        "The {s} planet from the Sun is {v}.",
        "Which planet comes {s} from the Sun?",
        "What is the {s} planet from the Sun?",
        "Which planet is {s} from the Sun?",
        "Name the {s} planet from the Sun.",
    ),
    "author": _relation(
        "{s} was written by {v}.",
        "Who is the writer of {s}?",
        "Who wrote {s}?",
        "Who is the author of {s}?",
        "Tell me the author of {s}.",
    ),
    "which": _relation(
        "It is {v}.",
        "Do you know which {s}?",
        "Which {s}?",
        "What {s}?",
        "Tell me which {s}.",
        "Can you tell me which {s}?",
    ),
    "invented": _relation(
        "{S} was invented by {v}.",
        "Who is the inventor of {s}?",
        "Who invented {s}?",
        "Who created {s}?",
        "Tell me who invented {s}.",
    ),
    "painted": _relation(
        "{S} was painted by {v}.",
        "Who is the painter of {s}?",
        "Who painted {s}?",
        "Which artist painted {s}?",
        "Tell me who painted {s}.",
    ),
    "landmark": _relation(
        "{S} is in {v}.",
        "In what city is {s}?",
        "Where is {s}?",
        "In which city is {s}?",
        "Which city has {s}?",
        "Where can I find {s}?",
    ),
    **{
        f"translate_{code}": _relation(
            '"{s}" in ' + name + ' is "{v}".',
            "What is the " + name + " word for {s}?",
            "How do you say {s} in " + name + "?",
            'How do you say "{s}" in ' + name + "?",
            'Translate "{s}" to ' + name + ".",
            "Translate to " + name + ": {s}",
            "What is {s} in " + name + "?",
            "Give me the " + name + " word for {s}.",
            "What is the " + name + " translation of {s}?",
        )
        for code, name in (("fr", "French"), ("es", "Spanish"), ("de", "German"))
    },
}


def _country_facts() -> list[Fact]:
    facts = []
    seen_capitals = set()
    for name, *values in read_rows("countries.tsv"):
        kinds = ("capital", "continent", "currency", "language")
        facts += [Fact(k, name, v) for k, v in zip(kinds, values, strict=True) if v != "-"]
        if values[0] not in {*seen_capitals, "-", name}:
            seen_capitals.add(values[0])
            facts.append(Fact("country", name, values[0]))
    return facts


@cache
def all_facts() -> tuple[Fact, ...]:
    """Every fact of the tables."""
    facts = _country_facts()
    for relation, subject, value in read_rows("facts.tsv"):
        facts.append(Fact(relation, subject, value))
        if relation == "symbol":
            facts.append(Fact("element", subject, value))
    return tuple(facts)


@cache
def _weights() -> tuple[float, ...]:
    return tuple(
        RELATIONS[fact.relation].weight * (2.5 if fact.subject in POPULAR else 1.0)
        for fact in all_facts()
    )


def draw_fact(rng: random.Random) -> Fact:
    """A fact at random, capitals more often."""
    return rng.choices(all_facts(), _weights())[0]


@cache
def _easy() -> tuple[Fact, ...]:
    """Facts about well-known countries and everyday words."""
    everyday = ("opposite", "color", "sound", "young", "day_after", "planet_place", "landmark")
    return tuple(f for f in all_facts() if f.subject in POPULAR or f.relation in everyday)


def draw_easy(rng: random.Random) -> Fact:
    """A well-known fact at random."""
    return rng.choice(_easy())


def asked_value(fact: Fact) -> str:
    """What the short answer is: the country for a reversed question."""
    return fact.subject if fact.relation in ("country", "element") else fact.value


def ask(rng: random.Random, fact: Fact, held_out: bool) -> str:
    """A question for this fact, from the phrasings of one side of the split."""
    relation = RELATIONS[fact.relation]
    text = rng.choice(relation.held if held_out else relation.train)
    return text.format(s=fact.subject, v=fact.value)


def state(fact: Fact) -> str:
    """The sentence that answers."""
    pattern = RELATIONS[fact.relation].answer
    text = pattern.format(s=fact.subject, S=capitalize(fact.subject), v=fact.value)
    return capitalize(text)


def make(rng: random.Random, held_out: bool) -> Example:
    """One question about a fact."""
    fact = draw_fact(rng)
    question = vary(rng, ask(rng, fact, held_out))
    return single(rng, "facts", question, state(fact), Check("contains", [asked_value(fact)]))
