"""What rows leave to the garbage collector: nothing. Cycles cost it a sixth of a row's time."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from tests.fault_server import FaultServer
from tests.remote.outages import make, rows

_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
_HELD_TO_SCHEMA = GenerationParams(guided_decoding=GuidedDecodingParams(json=_SCHEMA))
_INVALID = {"kind": "answer", "message": {"content": "{}"}, "mended": {"content": '{"a":1}'}}


@pytest.mark.parametrize(
    ("faults", "generation"),
    [
        ([], GenerationParams()),
        ([], GenerationParams(num_samples=2, temperature=1.0)),
        ([_INVALID | {"times": None}], _HELD_TO_SCHEMA),
    ],
    ids=["plain", "samples", "repaired"],
)
def test_a_row_is_freed_without_the_garbage_collector(
    faults: list[Any],
    generation: GenerationParams,
    server: FaultServer,
    write_jsonl: Callable[..., Path],
    tmp_path: Path,
):
    server.plan(faults=faults)
    with make(server, num_workers=16) as engine:

        def cycles(count: int) -> int:
            """Objects that only the collector could free after so many rows."""
            source = write_jsonl(rows(count), f"{count}.jsonl")
            output = tmp_path / f"answers-{len(list(tmp_path.iterdir()))}.jsonl"
            config = InferenceConfig(
                generation=generation, input_path=str(source), output_path=str(output)
            )
            gc.collect()
            gc.disable()
            try:
                engine.infer(None, config)
                return gc.collect()
            finally:
                gc.enable()

        cycles(10)  # what is made once is there then
        more = min(cycles(250) - cycles(50) for _ in range(3))  # others make some now and then
        assert more < 200, "one and more for each of 200 rows"
