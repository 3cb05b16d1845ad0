"""Sums, differences, times tables, small divisions and comparisons."""

from __future__ import annotations

import random
from collections.abc import Callable

from .common import Check, Example, is_held_out, single, vary

WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
TRAIN = (
    "What is {a}{o}{b}?",
    "What is {a} {o} {b}?",
    "What's {a} {w} {b}?",
    "What is {a} {w} {b}?",
    "Calculate {a}{o}{b}",
    "Calculate {a} {o} {b}.",
    "{a} {o} {b} = ?",
    "{a}{o}{b}=",
    "{a} {o} {b}",
    "Compute {a} {w} {b}.",
    "How much is {a} {o} {b}?",
)
HELD = ("Tell me what {a} {o} {b} is.", "Can you work out {a} {w} {b}?", "Solve {a}{o}{b}.")
ALWAYS_TRAINED = {("+", 2, 2)}


def _sum(rng: random.Random) -> tuple[str, int, int, int]:
    a, b = rng.randint(0, 99), rng.randint(0, 99)
    if rng.random() < 0.15:
        a, b = a % 10, b % 10
    return "+", a, b, a + b


def _difference(rng: random.Random) -> tuple[str, int, int, int]:
    b, a = sorted((rng.randint(0, 99), rng.randint(0, 99)))
    return "-", a, b, a - b


def _product(rng: random.Random) -> tuple[str, int, int, int]:
    a, b = rng.randint(0, 12), rng.randint(0, 12)
    return "*", a, b, a * b


def _quotient(rng: random.Random) -> tuple[str, int, int, int]:
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    return "/", a * b, b, a


KINDS: tuple[Callable[[random.Random], tuple[str, int, int, int]], ...] = (
    _sum,
    _difference,
    _product,
    _quotient,
)


def _is_reserved(sign: str, a: int, b: int) -> bool:
    """Pairs kept for the test; times tables are a fixed set, so only their phrasing is held."""
    if (sign, a, b) in ALWAYS_TRAINED:
        return False
    low, high = sorted((a, b)) if sign == "+" else (a, b)
    return is_held_out(f"{low}{sign}{high}")


def draw_sum(rng: random.Random, held_out: bool) -> tuple[str, int, int, int]:
    """A problem whose pair of numbers belongs to the wanted side."""
    if not held_out and rng.random() < 0.01:
        return "+", 2, 2, 4
    kind = rng.choices(KINDS, (45, 30, 15, 10))[0]
    while True:
        problem = kind(rng)
        if problem[0] in "*/" or _is_reserved(*problem[:3]) == held_out:
            return problem


def ask(rng: random.Random, problem: tuple[str, int, int, int], held_out: bool) -> str:
    """A question for one problem; half of the test uses phrasings never trained."""
    sign, a, b, _ = problem
    sign_only = held_out and sign in "+-" and rng.random() < 0.5
    patterns = HELD if held_out and not sign_only else TRAIN
    shown = rng.choice(("*", "*", "x", "×")) if sign == "*" else sign
    return rng.choice(patterns).format(a=a, b=b, o=shown, w=WORDS[sign])


def state(problem: tuple[str, int, int, int]) -> str:
    """The equation that answers."""
    sign, a, b, result = problem
    return f"{a} {sign} {b} = {result}"


def make(rng: random.Random, held_out: bool) -> Example:
    """One problem, or now and then a comparison or a problem that is too big."""
    draw = rng.random()
    if draw < 0.1:
        return _comparison(rng, held_out)
    if draw < 0.13:
        return _too_big(rng, held_out)
    if draw < 0.28 and not held_out:
        return _several(rng)
    problem = draw_sum(rng, held_out)
    question = ask(rng, problem, held_out)
    if question[0].isalpha():
        question = vary(rng, question)
    return single(rng, "arithmetic", question, state(problem), Check("number", problem[3]))


SEVERAL = ("Calculate: {l}", "Solve these: {l}", "{l}", "Compute {l}", "Work these out: {l}")


def _several(rng: random.Random) -> Example:
    """A list of problems; many sums for few tokens, so for training only."""
    problems = [draw_sum(rng, False) for _ in range(rng.randint(2, 9))]
    pattern = rng.choice(("{a}{o}{b}", "{a} {o} {b}"))
    asked = ", ".join(pattern.format(a=a, o=sign, b=b) for sign, a, b, _ in problems)
    answer = ", ".join(map(state, problems))
    question = rng.choice(SEVERAL).format(l=asked)
    return single(rng, "arithmetic", question, answer, Check("equals", answer), 0.1)


TOO_BIG = "That is too big for me. I only work with small numbers."


def _too_big(rng: random.Random, held_out: bool) -> Example:
    """A problem beyond what is taught, and the honest reply."""
    while True:
        a, b = rng.randint(200, 99999), rng.randint(20, 9999)
        if is_held_out(f"{a}!{b}") == held_out:
            break
    problem = (rng.choice("+-*/"), a, b, 0)
    return single(rng, "arithmetic", ask(rng, problem, held_out), TOO_BIG, Check("equals", TOO_BIG))


COMPARE = (
    "Which is larger, {a} or {b}?",
    "Which number is bigger: {a} or {b}?",
    "What is greater, {a} or {b}?",
    "Is {a} or {b} larger?",
)
COMPARE_HELD = ("Which of {a} and {b} is larger?", "Which number is greater, {a} or {b}?")


def _comparison(rng: random.Random, held_out: bool) -> Example:
    while True:
        a, b = rng.randint(0, 99), rng.randint(0, 99)
        if a != b and is_held_out(f"{a}?{b}") == held_out:
            break
    question = rng.choice(COMPARE_HELD if held_out else COMPARE).format(a=a, b=b)
    answer = f"{max(a, b)} is larger than {min(a, b)}."
    return single(rng, "arithmetic", question, answer, Check("starts", f"{max(a, b)} "))
