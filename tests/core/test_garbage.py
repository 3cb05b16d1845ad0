"""The collector during runs, and after them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from oumi.core.configs import ModelParams, RemoteParams
from oumi.core.garbage import collected_rarely
from oumi.inference import RemoteInferenceEngine
from oumi.runner.events import Event, RowDone
from tests.fault_server import FaultServer


@pytest.fixture
def threshold() -> Iterator[None]:
    """Put back what a test sets."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_run_has_it_so_and_leaves_it_as_it_was(server: FaultServer):
    before, seen = gc.get_threshold(), []

    def listen(event: Event) -> None:
        if isinstance(event, RowDone):
            seen.append(gc.get_threshold()[0])

    remote = RemoteParams(api_url=server.api_url)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        engine.infer(["row-1"], on_event=listen)
    assert seen == [5_000]
    assert gc.get_threshold() == before


def test_it_is_as_before_once_the_last_block_ends(threshold: None):
    before = gc.get_threshold()
    with collected_rarely():
        with collected_rarely():
            pass
        assert gc.get_threshold() == (5_000, *before[1:])
    assert gc.get_threshold() == before


@pytest.mark.parametrize("own", [0, 100_000])
def test_a_collector_that_is_off_or_begins_later_is_left_as_it_is(threshold: None, own: int):
    gc.set_threshold(own)
    with collected_rarely():
        assert gc.get_threshold()[0] == own
    assert gc.get_threshold()[0] == own


def test_what_is_set_meanwhile_stays(threshold: None):
    with collected_rarely():
        gc.set_threshold(900)
    assert gc.get_threshold()[0] == 900
