"""Pairs of a schema and an answer, made to keep a validator busy or to fill its memory.

`python -m tests.structured.hostile_answers` judges each in a process of its own with limits, and
prints a line of JSON for each.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from oumi.core.configs import GenerationParams, GuidedDecodingParams
from oumi.structured.contract import make_contract
from tests.structured.hostile import doubling, fields

LIMIT_S, LIMIT_MB = 1.0, 200
E, INTEGER = {"$ref": "#/$defs/e"}, {"type": "integer"}


def recursive(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": "#/$defs/e", "$defs": {"e": schema}}


def node(kind: dict[str, Any], **others: Any) -> dict[str, Any]:
    inner = {"kind": kind, "args": {"type": "array", "items": E}, **others}
    return {"type": "object", "properties": inner, "required": ["kind", "args"]}


def tagged(keyword: str, kinds: int = 4) -> dict[str, Any]:
    return recursive({keyword: [*(node({"const": f"k{i}"}) for i in range(kinds)), INTEGER]})


def untagged(keyword: str, kinds: int = 4) -> dict[str, Any]:
    alike = (node({"type": "string"}, **{f"p{i}": INTEGER}) for i in range(kinds))
    return recursive({keyword: [*alike, INTEGER]})


def levels(count: int) -> dict[str, Any]:
    """Alternatives that multiply from level to level, without recursion."""
    defs: dict[str, Any] = {
        f"d{i}": {
            "anyOf": [
                {"type": "array", "items": {"$ref": f"#/$defs/d{i + 1}"}, "minItems": least}
                for least in (0, 1)
            ]
        }
        for i in range(count)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{count}": INTEGER}}


def wrapped(count: int, wrap: Callable[[Any], Any], value: Any = "x") -> Any:
    for _ in range(count):
        value = wrap(value)
    return value


def nodes(count: int, kind: str = "k2") -> Any:
    return wrapped(count, lambda inner: {"kind": kind, "args": [inner]})


def lists(count: int) -> Any:
    return wrapped(count, lambda inner: [inner])


def objects(count: int) -> Any:
    return wrapped(count, lambda inner: {"a": inner})


LIST, OBJECT = {"type": ["array", "integer"]}, {"type": ["object", "integer"]}
PAIRS: dict[str, tuple[dict[str, Any], Any]] = {
    "a tagged union": (tagged("anyOf"), nodes(98)),
    "a tagged union, one of": (tagged("oneOf"), nodes(98)),
    "a union of a hundred kinds": (tagged("anyOf", 100), nodes(60)),
    "an untagged union": (untagged("anyOf"), nodes(98)),
    "an untagged union, one of": (untagged("oneOf"), nodes(98)),
    "a wide tree": (
        untagged("anyOf"),
        wrapped(11, lambda inner: {"kind": "k", "args": [inner, inner]}),
    ),
    "all of": (recursive({"allOf": [{"items": E}, {"items": E}, LIST]}), lists(150)),
    "contains": (recursive({"items": E, "contains": E, **LIST}), lists(150)),
    "not": (recursive({"not": {"not": {"items": E}}, "items": E, **LIST}), lists(150)),
    "if": (
        recursive({"if": {"items": E}, "then": {"items": E, **LIST}, "else": {"items": E}}),
        lists(150),
    ),
    "the root": ({"anyOf": [{"items": {"$ref": "#"}, **LIST}] * 3}, lists(150)),
    "patterns of names": (
        recursive({"properties": {"a": E}, "patternProperties": {"^a": E, "a$": E}, **OBJECT}),
        objects(150),
    ),
    "dependent schemas": (
        recursive({"properties": {"a": E}, "dependentSchemas": {"a": {"items": E}}, **OBJECT}),
        objects(150),
    ),
    "unevaluated fields": (
        recursive({"anyOf": [{"properties": {"a": E}}], "unevaluatedProperties": E, **OBJECT}),
        objects(150),
    ),
    "unevaluated items": (
        recursive({"anyOf": [{"prefixItems": [E]}], "unevaluatedItems": E, **LIST}),
        lists(150),
    ),
    "levels that multiply": (levels(16), lists(16)),
    "levels that multiply, more": (levels(24), lists(24)),
    "levels that multiply, many items": (
        levels(12),
        wrapped(11, lambda inner: [inner], [1] * 5_000 + ["x"]),
    ),
    "references that double": (doubling("anyOf", 9), {"x": "x"}),
    "many wrong items": ({"items": {"anyOf": [INTEGER, {"type": "null"}]}}, ["x"] * 100_000),
    "many wrong fields": (fields(3_000, INTEGER), {f"f{i}": "x" for i in range(3_000)}),
    "a large enum": (
        {"items": {"enum": [{"v": i} for i in range(15_000)]}},
        [{"v": i % 15_000} for i in range(30_000)] + [{"v": -1}],
    ),
    "many patterns": (
        {"patternProperties": {f"a{i}b+c": INTEGER for i in range(5_000)}},
        {f"x{i}": "x" for i in range(20_000)},
    ),
    "many alternatives": (
        {"items": {"anyOf": [fields(2, {"const": i}) for i in range(1_000)]}},
        [{"f0": 999, "f1": 999}] * 20_000 + [{"f0": -1}],
    ),
    "unique items": ({"uniqueItems": True}, [{"v": [i, {"w": i}]} for i in range(30_000)] + [1, 1]),
    "a regular expression": ({"pattern": "^(?=x|a)(a+)+(a|aa)+b$"}, "a" * 5_000),
    "back-references": ({"pattern": r"^(a*)(a*)(a*)\1\2\3b$"}, "a" * 2_000),
    "a multiple": ({"multipleOf": 7}, 10**4_000),
    "a multiple of little": ({"multipleOf": 1e-300}, 1e300),
    "a long text": ({"enum": ["a", "b"]}, "x" * 5_000_000),
}
TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "too deep": ({}, "[" * 1_000_000),
    "a fence that is never closed": ({"type": "object"}, "```" + "a" * 1_000_000),
    "many fences": (untagged("anyOf"), f"```json\n{json.dumps(nodes(60))}\n```\n" * 500),
    "brackets": ({"type": "object"}, "x {" * 100_000),
    "digits": (INTEGER, "9" * 1_000_000),
}


@dataclass(frozen=True)
class Judged:
    name: str
    problem: str | None
    seconds: float
    """Of the processor, whose time other programs do not lengthen."""
    megabytes: float


def judge(name: str) -> Judged:
    if name in TEXTS:
        schema, text = TEXTS[name]
    else:
        schema, text = PAIRS[name][0], json.dumps(PAIRS[name][1])
    guided = GuidedDecodingParams(json=schema)
    contract = make_contract(GenerationParams(guided_decoding=guided))
    assert contract is not None
    began_s, began_mb = time.process_time(), _peak_mb()
    problem = contract.validate(text).problem
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() - began_s + spent.ru_utime + spent.ru_stime
    return Judged(name, problem, seconds, _peak_mb() - began_mb)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _judge_apart(name: str) -> None:
    """In a fork, which ends when it takes too long or too much."""
    if os.fork():
        os.wait()
        return
    room = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115
    resource.setrlimit(resource.RLIMIT_CPU, (int(LIMIT_S * 10),) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (room + 4 * LIMIT_MB * 2**20,) * 2)
    print(json.dumps(asdict(judge(name))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    for each in (*PAIRS, *TEXTS):
        _judge_apart(each)
