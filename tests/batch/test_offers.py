"""Which APIs have batches, and how much of each: what the rows and the page about them say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from oumi.backends.remote.providers import PROVIDERS, find_provider
from oumi.inference import GroqInferenceEngine, ParasailInferenceEngine
from tests.batch.api import expected, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

PAGE = Path(__file__).parents[2] / "docs" / "batch.md"
LINE = re.compile(r"^\| (`[A-Z`, _]+`) \| ([\d,]+) \| (\d+) MB \| (half|none known) \|$", re.M)


@pytest.mark.parametrize(
    ("kind", "window"), [(GroqInferenceEngine, "7d"), (ParasailInferenceEngine, "24h")]
)
def test_hosts_that_speak_openais_batches(server: FaultServer, kind: type, window: str):
    with make(server, kind, batch_completion_window=window) as engine:
        batch_id = engine.infer_batch(rows(3))
        engine.wait_for_batch(batch_id, poll_interval_s=0.005)
        assert answers(engine.get_batch_results(batch_id, rows(3))) == expected(range(3))
    seen = [
        s for s in server.stats()["last"] if (s["method"], s["path"]) == ("POST", "/v1/batches")
    ]
    assert [json.loads(s["body"])["completion_window"] for s in seen] == [window]


def test_the_page_says_what_the_rows_say():
    said = {
        name: (int(most.replace(",", "")), int(size) * 1_000_000, price)
        for names, most, size, price in LINE.findall(PAGE.read_text())
        for name in re.findall(r"[A-Z_]+", names)
    }
    assert set(said) == {row.name for row in PROVIDERS if row.batch is not None}
    for engine, (most, size, price) in said.items():
        offer = find_provider(engine).batch
        assert (offer.max_requests, offer.max_bytes) == (most, size), engine
        costs = find_provider(engine).price_list is not None
        assert price == ("half" if costs and offer.price_share == 0.5 else "none known"), engine
