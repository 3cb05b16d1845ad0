"""Tool calls, and answers from what a tool returned."""

from __future__ import annotations

import json
import random
from typing import Any

from . import arithmetic, facts, smalltalk
from .common import Check, Example, Message, assistant, maybe_system, read_rows, split_pool, user
from .toolbox import TOOLS, Arguments, Tool, shown_keys

WEIGHTS = (6, 4, 2, 4, 4, 2, 2, 1, 2, 1, 1)


def _offer(
    rng: random.Random, wanted: Tool | None
) -> tuple[list[dict[str, Any]], str, dict[str, str]]:
    """The tools shown, the name of the wanted one, and what its parameters are called."""
    others = [tool for tool in TOOLS if tool is not wanted]
    shown = rng.sample(others, rng.choice((0, 0, 1, 1, 2) if wanted else (1, 1, 2)))
    name = rng.choice(wanted.names) if wanted else ""
    keys = shown_keys(rng, wanted) if wanted else {}
    schemas = [tool.schema(rng, rng.choice(tool.names), shown_keys(rng, tool)) for tool in shown]
    if wanted:
        schemas.append(wanted.schema(rng, name, keys))
    rng.shuffle(schemas)
    return schemas, name, keys


def _call_turn(name: str, arguments: Arguments) -> Message:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": function}],
    }


def _used(rng: random.Random, held_out: bool) -> Example:
    tool = rng.choices(TOOLS, WEIGHTS)[0]
    schemas, name, keys = _offer(rng, tool)
    arguments = tool.draw(rng, held_out)
    asks = tool.asks[-1:] if held_out and rng.random() < 0.5 else tool.asks[:-1]
    messages = [*maybe_system(rng, 0.3), user(rng.choice(asks).format(**arguments))]
    sent = {keys[key]: value for key, value in arguments.items()}
    call = _call_turn(name, sent)
    if held_out and rng.random() < 0.6:
        check = Check("call", {"name": name, "arguments": sent})
        return Example("tool call", [*messages, call], check, schemas)
    result = tool.result(rng, arguments)
    shown = result if isinstance(result, str) else json.dumps(result)
    answer = tool.tell(arguments, result)
    messages += [call, {"role": "tool", "content": shown}, assistant(answer)]
    return Example("tool answer", messages, Check("equals", answer), schemas)


def _plain_fact(rng: random.Random) -> facts.Fact:
    """A fact that no tool here could be asked for."""
    while True:
        fact = facts.draw_fact(rng)
        if not fact.relation.startswith("translate"):
            return fact


def _not_needed(rng: random.Random, held_out: bool) -> Example:
    schemas, _, _ = _offer(rng, None)
    if rng.random() < 0.4:
        hello = [text for kind, text in read_rows("smalltalk.tsv") if kind in ("hello", "thanks")]
        text = rng.choice(split_pool(hello, held_out))
        kind = next(kind for kind, line in read_rows("smalltalk.tsv") if line == text)
        reply, must = smalltalk.REPLIES[kind]
        question, check = text, Check("contains", [must])
    else:
        fact = _plain_fact(rng)
        question, reply = facts.ask(rng, fact, held_out), facts.state(fact)
        check = Check("contains", [facts.asked_value(fact)])
    messages = [*maybe_system(rng, 0.3), user(question), assistant(reply)]
    return Example("tool not needed", messages, check, schemas)


def make(rng: random.Random, held_out: bool) -> Example:
    """A call, an answer from a result, or a plain answer although tools are offered."""
    if rng.random() < 0.2:
        return _not_needed(rng, held_out)
    example = _used(rng, held_out)
    if not held_out and example.tools and rng.random() < 0.2:
        example = _second_question(rng, example)
    return example


def _second_question(rng: random.Random, example: Example) -> Example:
    """After the tool's answer, a plain question follows."""
    problem = arithmetic.draw_sum(rng, False)
    fact = _plain_fact(rng)
    offered = {schema["function"]["name"] for schema in example.tools}
    if offered & {"add", "add_numbers", "sum", "multiply", "multiply_numbers"}:
        extra = [user(facts.ask(rng, fact, False)), assistant(facts.state(fact))]
    else:
        extra = [user(arithmetic.ask(rng, problem, False)), assistant(arithmetic.state(problem))]
    return Example(example.task, [*example.messages, *extra], example.check, example.tools)
