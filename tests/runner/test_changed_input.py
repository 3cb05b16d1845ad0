"""The input is changed while a run works on it: no answer ever stands at another question."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import InputError
from oumi.inference import RemoteInferenceEngine
from oumi.runner.events import RowDone
from tests.conftest import ask
from tests.fault_server import FaultServer

ROWS = 40


def text_of(numbers: list[int]) -> str:
    return "".join(ask(f"row-{i}", conversation_id=f"id-{i}").to_json() + "\n" for i in numbers)


def shuffled() -> list[int]:
    numbers = list(range(ROWS))
    random.Random(3).shuffle(numbers)
    return numbers


CHANGES = {
    "another order": shuffled(),
    "shorter": list(range(5, 30)),
    "longer": list(range(ROWS + 5)),
}


@pytest.fixture
def engine(server: FaultServer) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=server.api_url, num_workers=2, use_adaptive_concurrency=False)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def after_five(change: Callable[[], None]) -> Callable[[object], None]:
    """A listener that changes something once five rows are done."""
    done = 0

    def listen(event: object) -> None:
        nonlocal done
        done += isinstance(event, RowDone)
        if isinstance(event, RowDone) and done == 5:
            change()

    return listen


def assert_joined(output: Path) -> None:
    for line in output.read_text().splitlines():
        *_, question, answer = json.loads(line)["messages"]
        assert answer["content"] == f"answer to {question['content']}"


@pytest.mark.parametrize("numbers", CHANGES.values(), ids=CHANGES)
def test_a_file_that_is_moved_into_its_place_changes_nothing(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path, numbers: list[int]
):
    source, output, other = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "other"))
    source.write_text(text_of(list(range(ROWS))))
    other.write_text(text_of(numbers))
    config = InferenceConfig(input_path=str(source), output_path=str(output))
    engine.infer(None, config, on_event=after_five(lambda: os.replace(other, source)))
    assert len(output.read_text().splitlines()) == ROWS
    assert_joined(output)
    engine.infer(None, config.model_copy(update={"overwrite": True}))
    assert len(output.read_text().splitlines()) == len(numbers)
    assert_joined(output)
    assert set(server.answered().values()) == {1}, "what was recorded is not asked again"


@pytest.mark.parametrize("numbers", CHANGES.values(), ids=CHANGES)
def test_a_file_that_is_written_to_in_its_place_ends_the_run(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path, numbers: list[int]
):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(text_of(list(range(ROWS))))
    config = InferenceConfig(input_path=str(source), output_path=str(output))
    with pytest.raises(InputError, match=r"in\.jsonl.*changed while it was being read.*run again"):
        engine.infer(None, config, on_event=after_five(lambda: source.write_text(text_of(numbers))))
    assert not output.exists()
    engine.infer(None, config)
    assert len(output.read_text().splitlines()) == len(numbers)
    assert_joined(output)
    assert set(server.answered().values()) == {1}, "what was recorded is not asked again"


def test_a_named_pipe_is_read_once(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    pipe, output = tmp_path / "pipe", tmp_path / "out.jsonl"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(text_of([0, 1, 2])))
    writer.start()
    engine.infer(None, InferenceConfig(input_path=str(pipe), output_path=str(output)))
    writer.join()
    assert_joined(output)
    assert server.answered() == {"row-0": 1, "row-1": 1, "row-2": 1}


def test_what_is_no_file_is_refused(engine: RemoteInferenceEngine, tmp_path: Path):
    with pytest.raises(InputError, match="not a regular file"):
        engine.infer(None, InferenceConfig(input_path="/dev/zero"))
    with pytest.raises(InputError, match="no files of tables in this folder"):
        engine.infer(None, InferenceConfig(input_path=str(tmp_path)))


def test_a_list_may_be_worked_on_while_its_rows_are_asked(engine: RemoteInferenceEngine):
    rows = [ask(f"row-{i}") for i in range(6)]

    def change() -> None:
        rows.reverse()
        for row in rows:
            row.messages.append(row.messages[0])

    async def run() -> list[object]:
        return list(await engine.ainfer(rows, on_event=after_five(change)))

    answered = asyncio.run(run())
    assert [[m.content for m in row] for row in answered] == [
        [f"row-{i}", f"answer to row-{i}"] for i in range(6)
    ]
