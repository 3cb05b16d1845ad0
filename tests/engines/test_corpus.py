"""A sample of the corpus of schemas on the heavy engines."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest

from oumi.backends.registry import find_engine
from oumi.core.configs import ModelParams
from oumi.inference.build import load_class
from tests.structured.corpus import CORPUS
from tests.structured.coverage import assert_covered, cover, table

# NATIVE has a batch of its own for each schema, vLLM works on all at once.
EVERY = {"NATIVE": 16, "VLLM": 4}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", EVERY)
def test_each_schema_is_kept_or_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    row = find_engine(name)
    if importlib.util.find_spec(row.runtime) is None:
        pytest.skip(f"{row.runtime} is not installed")
    sample = list(CORPUS)[:: EVERY[name]]
    with load_class(row)(ModelParams()) as engine:
        covered = asyncio.run(cover(engine, sample))
    assert_covered(covered)
    valid = sum(one.outcome == "valid" for one in covered)
    assert valid > len(sample) // 2, table({name: covered})
