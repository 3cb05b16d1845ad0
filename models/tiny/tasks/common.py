"""What every task family shares: the example value, the split, and small variations."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

Message = dict[str, Any]
TABLES = Path(__file__).parent / "tables"

PLAIN_SYSTEMS = (
    "You are a helpful assistant.",
    "You are a helpful coding assistant.",
    "You are a friendly assistant.",
    "You are a concise assistant.",
    "You are oumi-tiny.",
    "You are an AI assistant.",
    "You are a knowledgeable teacher.",
    "Answer the user's question.",
    "Be brief.",
    "Be helpful and honest.",
    "Keep your answers short.",
    "You are a helpful assistant that answers questions.",
    "You are a helpful AI assistant.",
    "You are a math tutor.",
    "You are a geography expert.",
    "You are an expert programmer.",
    "You answer questions.",
    "You are a polite assistant. Answer clearly and briefly.",
)


@dataclass(frozen=True)
class Check:
    """How a reply is scored: `kind` names a function in scoring.py, `value` is what it expects."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Example:
    """One chat; the last message is the reference reply, `check` scores a model's own."""

    task: str
    messages: list[Message]
    check: Check
    tools: list[dict[str, Any]] = field(default_factory=list)


def is_held_out(key: str, percent: int = 10) -> bool:
    """Whether this key belongs to the held-out side; the same answer on every machine."""
    return zlib.crc32(key.encode()) % 100 < percent


def split_pool(pool: Sequence[str], held_out: bool, percent: int = 15) -> list[str]:
    """The part of a pool that one side of the split may use."""
    return [item for item in pool if is_held_out(item, percent) == held_out]


@cache
def read_rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a tab-separated table."""
    lines = (TABLES / name).read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line)


def pool(name: str) -> list[str]:
    """The words of one row of pools.tsv."""
    return next(row[1] for row in read_rows("pools.tsv") if row[0] == name).split("|")


ROLE_KINDS = pool("role_kinds")
ROLES = pool("roles")
ROLE_TASKS = (
    "",
    "",
    "",
    " Answer briefly.",
    " Answer the question.",
    " Help the user.",
    " Follow the instructions.",
    " Do your best.",
    " Be accurate.",
)


def user(text: str) -> Message:
    """A user turn."""
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    """An assistant turn."""
    return {"role": "assistant", "content": text}


def system(text: str) -> Message:
    """A system turn."""
    return {"role": "system", "content": text}


def plain_system(rng: random.Random) -> Message:
    """A system turn that asks for nothing special."""
    if rng.random() < 0.6:
        return system(rng.choice(PLAIN_SYSTEMS))
    kind, role = rng.choice(ROLE_KINDS), rng.choice(ROLES)
    article = "an" if kind[0] in "aeiou" or kind == "honest" else "a"
    return system(f"You are {article} {kind} {role}.{rng.choice(ROLE_TASKS)}")


def maybe_system(rng: random.Random, chance: float = 0.35) -> list[Message]:
    """Sometimes a system turn that asks for nothing special."""
    return [plain_system(rng)] if rng.random() < chance else []


def capitalize(text: str) -> str:
    """The text with its first letter in upper case, the rest untouched."""
    return text[:1].upper() + text[1:]


OPENINGS = (
    "Hi! ",
    "Please help. ",
    "Quick question: ",
    "Hey, ",
    "Question: ",
    "Answer this: ",
    "I would like to know: ",
    "Hello. ",
)


def vary(rng: random.Random, question: str) -> str:
    """Now and then a lower-case start, a missing or doubled mark, or a polite opening."""
    draw = rng.random()
    if draw < 0.07:
        return question[:1].lower() + question[1:]
    if draw < 0.14:
        return question.rstrip("?.")
    if draw < 0.17:
        return question + question[-1] if question[-1] in "?!" else question
    if draw < 0.23:
        return rng.choice(OPENINGS) + question
    if draw < 0.26:
        return question + rng.choice((" Thanks!", " Please.", " Thank you."))
    return question


def single(
    rng: random.Random, task: str, question: str, answer: str, check: Check, chance: float = 0.35
) -> Example:
    """A chat of one question and one answer."""
    return Example(task, [*maybe_system(rng, chance), user(question), assistant(answer)], check)
