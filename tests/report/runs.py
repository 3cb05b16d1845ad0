"""Runs for reports: files as a run writes them, with answers that are made up."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Structured, Usage
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure
from oumi.core.types.message import FinishReason, Message, Role
from oumi.data.source import ListSource
from oumi.runner.cost import Price
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.output import Output

STARTED_S = 1_764_240_000.0
PRICE = Price("gpt-4o-mini", 1.5e-7, 7.5e-8, 6e-7)
SCHEMA = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}
TOPICS = ("billing", "delivery", "returns", "account", "other")
_SUBJECTS = ("my order", "the invoice", "this parcel", "the subscription", "my password", "the app")
_VERBS = ("has not arrived", "is wrong", "cannot be changed", "was charged twice", "keeps failing")
_MODELS = ("gpt-4o-mini", "gpt-4o")


class Made(NamedTuple):
    """A row with what became of it."""

    conversation: Conversation
    outcome: Completion | Failure
    latency_s: float = 0.5
    recorded_at: float = STARTED_S
    waited_s: float = 0.0
    first_token_s: float | None = None


def write_run(output: Path, rows: Iterable[Made], model: str = _MODELS[0]) -> Path:
    """Write output, journal, failures and `run.json` as a run does."""
    made = list(rows)
    with Journal(Output(output).journal_path) as journal:
        for index, row in enumerate(made):
            record(journal, index, row)
        return write_output(output, journal, made, model)


def record(journal: Journal, index: int, row: Made) -> None:
    """Write what became of a row into the journal of its run."""
    key, facts = f"{index:032x}", {"latency_s": row.latency_s, "waited_s": row.waited_s}
    if row.first_token_s is not None:
        facts["first_token_s"] = row.first_token_s
    facts["recorded_at"] = row.recorded_at
    if isinstance(row.outcome, Completion):
        journal.append(index, key, row.outcome, **facts)
    else:
        journal.append_failure(index, key, row.outcome, **facts)


def write_output(
    output: Path, journal: Journal, made: Sequence[Made], model: str = _MODELS[0]
) -> Path:
    """Write the other files of a run whose rows are in its journal."""
    source = ListSource([row.conversation for row in made])
    settings = {
        "model": {"model_name": model},
        "generation": {
            "max_new_tokens": 256,
            "temperature": 0.2,
            "guided_decoding": {"json": SCHEMA},
        },
        "input_path": "tickets.jsonl",
        "output_path": output.name,
    }
    config = InferenceConfig.model_validate(settings)
    made_by = {"engine": "OPENAI", "settings": config.to_dict(only_set=True)}
    session = {"answered": len(made), "failed": 0, "answered_before": 0, "seconds": 64.2}
    session |= {"retries": {"429": 31, "TransportTimeoutError": 4}, "asked_again": 12}
    session["over_time"] = {"width_s": 2.0, "stretches": _stretches()}
    files = Output(output)
    files.write(source, journal, "run-id", PRICE, session, made_by=made_by)
    return files.path


def _stretches() -> list[dict[str, float]]:
    """A call of a minute whose limit grows until the server has too much to do."""
    moments = [(at, 4 + (at * 3) % 20) for at in range(32)]
    return [
        {
            "at": STARTED_S + 2 * at,
            "retries": 3 if limit > 20 else 0,
            "in_flight": limit - 1.5,
            "allowed": float(limit),
            "rate_per_s": limit / 2,
        }
        for at, limit in moments
    ]


def tickets(count: int, *, seed: int = 1, lean: float = 0.0) -> list[Made]:
    """Questions to a support desk, sorted into topics by a schema. Other seeds answer the same
    questions, of which a share of `lean` gets another topic.
    """
    asked, answers = random.Random(0), random.Random(seed)
    return [_ticket(index, asked, answers, lean) for index in range(count)]


def _ticket(index: int, asked: random.Random, answers: random.Random, lean: float) -> Made:
    text = f"Hello, {asked.choice(_SUBJECTS)} {asked.choice(_VERBS)}. Ticket {1000 + index}."
    topic = TOPICS[min(int(asked.expovariate(0.8)), 4)]
    if answers.random() < lean:
        topic = answers.choice(TOPICS)
    conversation = Conversation(
        conversation_id=f"ticket-{index:04}",
        messages=[
            Message(role=Role.SYSTEM, content="Sort the ticket. Answer in JSON."),
            Message(role=Role.USER, content=text),
        ],
        metadata={"channel": asked.choice(["mail", "chat", "phone"])},
    )
    latency = answers.lognormvariate(-0.4, 0.5)
    at = STARTED_S + index * 0.13 + latency
    waited, first = 0.3 * answers.random() ** 3, latency * answers.uniform(0.2, 0.4)
    if answers.random() < 0.03:
        return Made(conversation, _failure(answers), latency, at, waited)
    value = {
        "topic": topic,
        "urgent": answers.random() < 0.2,
        "confidence": round(min(1.0, answers.betavariate(8, 2)), 2),
        "summary": f"The customer says that {text[7:].split('.')[0]}.",
        "order": None if answers.random() < 0.4 else f"A-{answers.randint(100, 999)}",
    }
    return Made(conversation, _completion(value, answers), latency, at, waited, first)


def _completion(value: dict[str, Any], answers: random.Random) -> Completion:
    usage = Usage(answers.randint(60, 90), answers.randint(30, 120), cached_tokens=32)
    message = Message(role=Role.ASSISTANT, content=json.dumps(value, indent=1))
    if answers.random() < 0.05:
        first = Completion(Message(role=Role.ASSISTANT, content="Sure! It is about…"), usage=usage)
        return Completion(message, usage=usage, earlier=(first,), structured=Structured.REPAIRED)
    reason = FinishReason.LENGTH if answers.random() < 0.02 else FinishReason.STOP
    return Completion(message, reason, usage, structured=Structured.NATIVE)


def _failure(answers: random.Random) -> Failure:
    if answers.random() < 0.5:
        message = f"status 429: rate limit reached, try again in {answers.randint(1, 30)} s"
        return Failure("UnavailableError", message, 429, True, 4)
    problem = "`topic` is not one of the allowed values (given: 'refund')"
    return Failure(
        "StructuredOutputError", problem, None, False, 2, '{"topic": "refund"}', Usage(70, 40)
    )


def talk(*messages: dict[str, Any], **fields: Any) -> Made:
    """A conversation that ends with an answer of an assistant, as JSON values."""
    parsed = [Message.model_validate(message) for message in messages]
    conversation = Conversation(messages=parsed[:-1], **fields)
    return Made(conversation, Completion(parsed[-1], usage=Usage(50, 20)))
