"""How an engine handles the corpus: `python -m tests.structured.coverage [ENGINE ...]`.

Without an engine it is LLAMACPP. The heavy ones need their own environment (`make test-engines`).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import jsonschema_rs

from oumi.backends.registry import find_engine
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.json_schema.sources import to_json_schema
from oumi.errors import UnsupportedError
from oumi.inference import InferenceEngine
from oumi.inference.build import load_class
from oumi.structured.sampler.schema import for_sampler
from tests.conftest import ask
from tests.structured.corpus import CORPUS


@dataclass(frozen=True)
class Covered:
    """The outcome for one schema. `detail` is the error, or the invalid answer."""

    name: str
    outcome: str
    detail: str = ""


async def cover(engine: InferenceEngine, names: Iterable[str] = CORPUS) -> list[Covered]:
    """Ask once for each schema, many of them at the same time."""
    return list(await asyncio.gather(*(_cover_one(engine, name) for name in names)))


async def _cover_one(engine: InferenceEngine, name: str) -> Covered:
    guided = GuidedDecodingParams(json=CORPUS[name], max_repairs=0)
    generation = GenerationParams(
        max_new_tokens=96, temperature=1.0, seed=len(name), guided_decoding=guided
    )
    asked = [ask(f"Write some JSON: {name}")]
    try:
        result = await engine.ainfer_partial(asked, InferenceConfig(generation=generation))
    except UnsupportedError as error:
        return Covered(name, "refused", str(error))
    if result.has_failures:
        return Covered(name, _outcome(result.error_messages[0], name), result.error_messages[0])
    text = result.conversations[0].messages[-1].content
    schema = to_json_schema(CORPUS[name])
    is_valid = jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(json.loads(text))
    return Covered(name, "valid" if is_valid else "invalid", text)


def _outcome(message: str, name: str) -> str:
    if "cut off" in message:
        return "cut off"
    return "failed" if for_sampler(to_json_schema(CORPUS[name])).checked else "invalid"


def assert_covered(covered: Iterable[Covered]) -> None:
    """What the sampler keeps is never invalid, and only what nothing meets is refused."""
    for row in covered:
        assert row.outcome != "invalid", row
        assert row.outcome != "refused" or "nothing satisfies" in row.detail, row


def table(covered: dict[str, list[Covered]]) -> str:
    """A line for each engine, and what was refused."""
    lines = [
        "| Engine | Schemas | Accepted | Valid | Cut off | Failed | Invalid | Refused |",
        "|---" * 8 + "|",
    ]
    for engine, rows in covered.items():
        counts = Counter(row.outcome for row in rows)
        accepted = len(rows) - counts["refused"]
        figures = [
            len(rows),
            accepted,
            *(counts[o] for o in ("valid", "cut off", "failed", "invalid", "refused")),
        ]
        lines.append(f"| {engine} | {' | '.join(map(str, figures))} |")
    for engine, rows in covered.items():
        refused = [f"{row.name}: {row.detail}" for row in rows if row.outcome == "refused"]
        lines += ["", f"{engine} refused: {'; '.join(refused) or 'nothing'}"]
        lines += [f"  {row.name}: {row.detail}" for row in rows if row.outcome == "invalid"]
    return "\n".join(lines)


def main(names: list[str]) -> None:
    """Print the table for the engines that are named."""
    covered = {}
    for name in names or ["LLAMACPP"]:
        with load_class(find_engine(name))(ModelParams()) as engine:
            covered[name] = asyncio.run(cover(engine))
    print(table(covered))


if __name__ == "__main__":
    main(sys.argv[1:])
