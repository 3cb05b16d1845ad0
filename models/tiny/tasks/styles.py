"""Replies in the style that a system prompt asks for."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from . import arithmetic, facts
from .common import Check, Example, assistant, system, user, vary

# style -> system prompts; the last one of each is held out
SYSTEMS = {
    "upper": (
        "Answer in upper case.",
        "Always answer in upper case.",
        "Write everything in capital letters.",
        "Use only upper case letters.",
        "Reply in upper case.",
        "You answer in upper case letters.",
    ),
    "word": (
        "Answer in one word.",
        "Answer with one word only.",
        "Give one-word answers.",
        "Reply with a single word.",
        "Answer with just the answer, no sentence.",
        "Answer in one word only.",
    ),
    "json": (
        "Answer as JSON.",
        "Always answer as JSON.",
        'Answer as JSON with the key "answer".',
        "Reply in JSON.",
        "You answer in JSON format.",
        "Give your answer as JSON.",
    ),
    "pirate": (
        "Answer like a pirate.",
        "You are a pirate.",
        "Talk like a pirate.",
        "Always speak like a pirate.",
        "You are a pirate captain.",
        "Reply like a pirate.",
    ),
    "lower": (
        "Answer in lower case.",
        "Always answer in lower case.",
        "Use only lower case letters.",
        "Write everything in lower case.",
        "Reply in lower case.",
    ),
    "over": (
        'End every answer with "Over."',
        'Finish each reply with "Over."',
        'Always end with the word "Over."',
        'End your answers with "Over."',
        'End each answer with "Over."',
    ),
}


# styles whose words differ from the sentence; practised on a part of the facts only
HARD = ("upper", "lower", "word")


def _pirate(sentence: str, _: str) -> str:
    return f"Arr, matey! {sentence}"


def _as_json(sentence: str, _: str) -> str:
    return json.dumps({"answer": sentence}, ensure_ascii=False)


WRITE: dict[str, Callable[[str, str], str]] = {
    "upper": lambda sentence, _: sentence.upper(),
    "word": lambda _, value: value,
    "json": _as_json,
    "pirate": _pirate,
    "lower": lambda sentence, _: sentence.lower(),
    "over": lambda sentence, _: f"{sentence} Over.",
}


def _base(rng: random.Random, held_out: bool, style: str) -> tuple[str, str, str]:
    """A question with its full sentence and its bare value."""
    if style != "word" and rng.random() < 0.25:
        problem = arithmetic.draw_sum(rng, held_out)
        question = arithmetic.ask(rng, problem, held_out)
        return question, arithmetic.state(problem) + ".", str(problem[3])
    fact = facts.draw_easy(rng) if style in HARD else facts.draw_fact(rng)
    side = held_out and rng.random() < 0.5
    return facts.ask(rng, fact, side), facts.state(fact), facts.asked_value(fact)


def _check(style: str, reply: str) -> Check:
    return Check("json", json.loads(reply)) if style == "json" else Check("equals", reply)


def make(rng: random.Random, held_out: bool) -> Example:
    """One question under a style; the test words the style in a way never trained."""
    style = rng.choice(list(SYSTEMS))
    prompts = SYSTEMS[style]
    prompt = prompts[-1] if held_out else rng.choice(prompts[:-1])
    question, sentence, value = _base(rng, held_out, style)
    reply = WRITE[style](sentence, value)
    if rng.random() < 0.2:
        messages = [user(f"{question} {prompt}"), assistant(reply)]
    else:
        messages = [system(prompt), user(vary(rng, question)), assistant(reply)]
    return Example("style", messages, _check(style, reply))
