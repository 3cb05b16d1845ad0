"""How many real schemas does a local engine take, and do its answers meet them?

    python -m benchmarks.schemas FOLDER [--sample N] [--engine ENGINE --run N] [--tokens N]

FOLDER holds schemas, a JSON file each: `data` of github.com/guidance-ai/jsonschemabench has 9,500.
It prints the share that is taken, each refusal with its reason, what is left to the check of
answers, and what preparing a schema costs. With `--run` it asks the embedded model for an answer to
N of them, each judged by the package `jsonschema`, which the engine does not use. Engines other
than LLAMACPP need the environment of `make test-engines`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
from tests.conftest import ask

from oumi.backends.registry import find_engine
from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.errors import OumiError
from oumi.inference.build import load_class
from oumi.inference.engine import InferenceEngine
from oumi.structured.sampler.grammar import check_guidance
from oumi.structured.sampler.schema import for_sampler

SEED = 1
IN_FLIGHT = 8
# A schema that names no draft is tried as each of these.
DRAFTS = (
    jsonschema.Draft202012Validator,
    jsonschema.Draft7Validator,
    jsonschema.Draft4Validator,
    jsonschema.Draft3Validator,
)


class Taken(NamedTuple):
    """A schema that was prepared, and for how long; or why it was refused."""

    path: Path
    schema: Any
    seconds: float
    guided: GuidedDecodingParams | None = None
    refusal: str = ""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, help="schemas that are prepared; all by default")
    parser.add_argument("--engine", default="LLAMACPP")
    parser.add_argument("--run", type=int, default=0, metavar="N", help="schemas that are run")
    parser.add_argument("--tokens", type=int, default=200, help="max_new_tokens")
    parser.add_argument("--repairs", type=int, default=0, help="max_repairs")
    options = parser.parse_args()
    paths = sorted(options.folder.rglob("*.json"))
    random.Random(SEED).shuffle(paths)
    taken = [take(path) for path in paths[: options.sample or (options.run or None)]]
    print_taken(taken)
    if options.run:
        good = [one for one in taken if one.guided is not None][: options.run]
        with load_class(find_engine(options.engine))(ModelParams()) as engine:
            asyncio.run(run(engine, good, options.tokens, options.repairs))


def take(path: Path) -> Taken:
    """Prepare one schema, as an engine does before it asks anything."""
    schema = None
    start = time.process_time()
    try:
        schema = json.loads(path.read_bytes())
        guided = GuidedDecodingParams(json=schema)
        check_guidance(guided)
    except (OumiError, ValueError) as error:
        reason = " ".join(str(error).split()).removeprefix("1 validation error for ")
        return Taken(path, schema, time.process_time() - start, refusal=reason[:160])
    return Taken(path, schema, time.process_time() - start, guided)


def print_taken(taken: list[Taken]) -> None:
    """The share that is taken, the refusals, and what is left to the check."""
    refused = [one for one in taken if one.guided is None]
    accepted = len(taken) - len(refused)
    print(f"{len(taken):,} schemas, {accepted:,} taken: {accepted / len(taken):.2%}")
    for one in refused:
        print(f"  refused: {one.path.parent.name}/{one.path.name}: {one.refusal}")
    left = [for_sampler(one.guided.json or {}).checked for one in taken if one.guided is not None]
    keywords = Counter(keyword for ones in left for keyword in {one.keyword for one in ones})
    print(f"{sum(map(bool, left)):,} have keywords that answers are checked for:", end=" ")
    print(", ".join(f"{keyword} {count}" for keyword, count in keywords.most_common()))
    slowest = sorted(taken, key=lambda one: -one.seconds)[:3]
    total = sum(one.seconds for one in taken)
    print(f"preparing takes {total / len(taken) * 1000:.1f} ms on average; slowest", end=" ")
    print(", ".join(f"{one.path.name} {one.seconds:.2f} s" for one in slowest))


async def run(engine: InferenceEngine, good: list[Taken], tokens: int, repairs: int) -> None:
    """Ask for one answer to each schema, and print what became of them."""
    places = asyncio.Semaphore(IN_FLIGHT)
    start = time.perf_counter()
    found = await asyncio.gather(*(answer(engine, one, tokens, repairs, places) for one in good))
    seconds = time.perf_counter() - start
    counts = Counter(outcome for outcome, _ in found)
    print(f"{len(found)} run in {seconds:.0f} s:", dict(counts.most_common()))
    print(f"cut off: {counts['cut off'] / len(found):.1%}")
    print_details(good, found)


def print_details(good: Iterable[Taken], found: Iterable[tuple[str, str]]) -> None:
    """Each answer that is neither valid nor cut off."""
    for one, (outcome, detail) in zip(good, found, strict=True):
        if outcome not in ("valid", "cut off"):
            print(f"  {outcome}: {one.path.parent.name}/{one.path.name}: {detail[:200]}")


async def answer(
    engine: InferenceEngine, one: Taken, tokens: int, repairs: int, places: asyncio.Semaphore
) -> tuple[str, str]:
    """What became of one schema, and the answer or the reason."""
    guided = one.guided.model_copy(update={"max_repairs": repairs}) if one.guided else None
    generation = GenerationParams(
        max_new_tokens=tokens, temperature=1.0, seed=SEED, guided_decoding=guided
    )
    asked = [ask(f"Write an example as JSON of {one.path.stem}")]
    async with places:
        result = await engine.ainfer_partial(asked, InferenceConfig(generation=generation))
    if result.has_failures:
        message = result.error_messages[0]
        return "cut off" if "cut off" in message else "failed", message
    text = str(result.conversations[0].messages[-1].content)
    return "valid" if is_valid(one.schema, json.loads(text)) else "invalid", text


def is_valid(schema: Any, value: Any) -> bool:
    """The verdict of the package `jsonschema`, by the draft that the schema is of."""
    named = jsonschema.validators.validator_for(schema, default=None)
    for draft in (named, *DRAFTS):
        if draft is not None:
            try:
                draft.check_schema(schema)
            except jsonschema.SchemaError:
                continue
            return bool(draft(schema, format_checker=draft.FORMAT_CHECKER).is_valid(value))
    return False


if __name__ == "__main__":
    main()
