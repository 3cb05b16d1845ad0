"""What callers may give in place of a list of conversations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import oumi
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Message, Role
from oumi.errors import InputError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

MESSAGE = {"role": "user", "content": "row-0"}
ONE = {
    "a conversation": ask("row-0"),
    "a text": "row-0",
    "a dict": {"messages": [MESSAGE]},
    "messages as dicts": [{"role": "system", "content": "be brief"}, MESSAGE],
    "messages": [Message(role=Role.USER, content="row-0")],
}


@pytest.fixture
def engine(server: FaultServer) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=server.api_url)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


@pytest.mark.parametrize("one", ONE.values(), ids=ONE)
def test_one_or_a_list_of_any_kind(engine: RemoteInferenceEngine, one: object):
    assert answers(engine.infer(one)) == ["answer to row-0"]
    assert answers(engine.infer([one, "row-1"])) == ["answer to row-0", "answer to row-1"]
    assert oumi.infer(one, engine=engine).messages[-1].content == "answer to row-0"
    assert answers(oumi.infer([one, one], engine=engine)) == ["answer to row-0"] * 2
    assert [d.completion for d in engine.stream(one)][-1].message.content == "answer to row-0"


def numbered() -> Iterable[object]:
    return (ask(f"row-{i}") for i in range(3))


ITERATORS = {
    "a generator": numbered,
    "a map": lambda: map(ask, ["row-0", "row-1", "row-2"]),
    "an iterator": lambda: iter(["row-0", "row-1", "row-2"]),
    "a view": lambda: dict.fromkeys(["row-0", "row-1", "row-2"]).keys(),
    "nothing": lambda: iter(()),
}


@pytest.mark.parametrize("to_file", [True, False])
@pytest.mark.parametrize("make", ITERATORS.values(), ids=ITERATORS)
def test_an_iterator_is_gone_through_once(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path, make, to_file: bool
):
    fields = {"output_path": str(tmp_path / "out.jsonl")} if to_file else {}
    config = InferenceConfig(**fields)
    expected = [f"answer to row-{i}" for i, _ in enumerate(make())]
    assert answers(engine.infer(make(), config)) == expected
    if to_file:
        assert answers(engine.infer(make(), config)) == expected
        assert set(server.answered().values()) <= {1}, "a rerun asks nothing"


WRONG = {
    "a number": ([1], "row 0: expected a conversation.*found int: 1"),
    "something else": ([ask("x"), {"prompt": "hi"}], "row 1: expected a conversation.*found dict"),
    "bytes": (b"row-0", "row 0: expected a conversation.*found int"),
    "no list": (7, "or many of them; found int"),
    "a wrong role": ([[{"role": "boss", "content": "x"}]], r"row 0: messages.0.role"),
    "a message without text": ([{"messages": [{"role": "user"}]}], "row 0: messages.0: a message"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_conversation_is_named(engine: RemoteInferenceEngine, given: object, message):
    with pytest.raises(InputError, match=message):
        engine.infer(given)
