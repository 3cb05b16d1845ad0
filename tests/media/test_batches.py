"""Files that rows of batch jobs name: they stay where they are when the input is copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig
from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from tests.batch.api import finish as finish_at_api
from tests.batch.api import kinds, make
from tests.batch.local import finish, remote_engine
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.remote.talks import PNG


@pytest.fixture
def given(tmp_path: Path) -> InferenceConfig:
    """Two rows of a file: one names an image beside it, the other one in the folder above."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [ask("row-0")]
    for path in (folder / "a.png", tmp_path / "b.png"):
        path.write_bytes(PNG)
        items = [ContentItem(type=Type.IMAGE_PATH, content=str(path))]
        rows.append(Conversation(messages=[Message(role=Role.USER, content=items)]))
    (folder / "in.jsonl").write_text("".join(row.to_json() + "\n" for row in rows))
    return InferenceConfig(input_path=str(folder / "in.jsonl"))


def test_at_an_api(server: FaultServer, given: InferenceConfig, tmp_path: Path):
    with make(server) as engine:
        batch_id = engine.infer_batch(None, given)
        finish_at_api(engine, batch_id)
        partial = engine.get_batch_results_partial(batch_id)
        assert partial.rows == [0, 1]
        assert kinds(partial) == {2: "InputError"}
        assert "allowed_media_path" in partial.error_messages[2]
        wider = InferenceConfig(allowed_media_path=str(tmp_path))
        again = engine.resubmit_batch(batch_id, wider)
        finish_at_api(engine, again)
        assert list(engine.get_batch_results_partial(again).rows) == [0, 1, 2]


def test_on_this_machine(server: FaultServer, given: InferenceConfig, tmp_path: Path):
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(None, given)
        finish(engine, batch_id)
        partial = engine.get_batch_results_partial(batch_id)
        assert partial.rows == [0, 1]
        assert "allowed_media_path" in partial.error_messages[2]
        wider = InferenceConfig(allowed_media_path=str(tmp_path))
        assert engine.resubmit_batch(batch_id, wider) == batch_id
        finish(engine, batch_id)
        assert list(engine.get_batch_results_partial(batch_id).rows) == [0, 1, 2]


def test_a_list_may_name_any_file(server: FaultServer, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    items = [ContentItem(type=Type.IMAGE_PATH, content=str(tmp_path / "a.png"))]
    rows = [Conversation(messages=[Message(role=Role.USER, content=items)])]
    for engine, end in ((make(server), finish_at_api), (remote_engine(server.api_url), finish)):
        with engine:
            batch_id = engine.infer_batch(rows)
            end(engine, batch_id)
            assert engine.get_batch_results_partial(batch_id).rows[0] == 0
