"""Rows that hold what few rows do: each is answered or fails alone, and blocks no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation
from oumi.errors import InputError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer

HUGE = 2**256 - 1


def tool(**schema: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": "transfer", "parameters": schema}}


def call(arguments: object) -> dict[str, object]:
    return {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}


def turns(*messages: dict[str, object]) -> list[dict[str, object]]:
    return [{"role": "user", "content": "row-1"}, *messages]


ODD = {
    "a tool's schema": {
        "tools": [tool(type="object", properties={"wei": {"type": "integer", "maximum": HUGE}})]
    },
    "arguments of a call": {
        "messages": turns(
            {"role": "assistant", "tool_calls": [call({"wei": HUGE})]},
            {"role": "tool", "tool_call_id": "c1", "content": "row-1"},
        )
    },
    "content blocks": {
        "messages": turns(
            {"role": "assistant", "content": "x", "content_blocks": [{"n": HUGE}]},
            {"role": "user", "content": "row-1"},
        )
    },
    "a field of a message": {"messages": [{"role": "user", "content": "row-1", "label": HUGE}]},
    "a column": {"label": HUGE},
    "metadata": {"metadata": {"n": HUGE, "deep": [{"n": -HUGE}]}},
    "metadata that are no numbers": {"metadata": {"n": float("nan"), "m": float("inf")}},
}


@pytest.fixture
def engine(server: FaultServer) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=server.api_url, num_workers=4)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def lines(path: Path) -> list[dict[str, object]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_row_is_answered_recorded_and_written(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path, odd: dict[str, object]
):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"messages": turns()[:1]} | odd,
        *({"messages": [{"role": "user", "content": f"row-{i}"}]} for i in range(2, 6)),
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = InferenceConfig(input_path=str(source), output_path=str(output))
    engine.infer(None, config)
    first = output.read_bytes()
    for name in (output, Path(f"{output}.run.json")):
        name.unlink()  # as a kill before the output was written would leave it
    engine.infer(None, config)
    assert output.read_bytes() == first
    assert [line["messages"][-1]["content"] for line in lines(output)] == [
        f"answer to row-{i}" for i in range(1, 6)
    ]
    assert set(server.answered().values()) == {1}
    if "NaN" not in json.dumps(odd):
        assert {name: lines(output)[0][name] for name in odd if name == "label"} == {
            name: value for name, value in odd.items() if name == "label"
        }


def test_numbers_of_any_size_go_in_and_out_exactly(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    odd = ODD["a tool's schema"]
    source.write_text(json.dumps({"messages": turns(), "label": HUGE, **odd}) + "\n")
    engine.infer(None, InferenceConfig(input_path=str(source), output_path=str(output)))
    [line] = lines(output)
    assert (line["label"], line["tools"]) == (HUGE, odd["tools"])
    assert str(HUGE) in json.dumps(server.stats()["last"])


class Unwritable:
    """A value that has no form in JSON."""


def deep(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [Unwritable(), deep(100_000)], ids=["object", "deep"])
def test_a_row_of_a_list_without_a_form_in_json(
    engine: RemoteInferenceEngine, tmp_path: Path, value: object
):
    odd = Conversation(messages=[ask("row-1").messages[0]], metadata={"value": value})
    rows = [ask("row-0"), odd, ask("row-2")]
    assert len(engine.infer(rows)) == 3, "in memory it needs none"
    config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    with pytest.raises(InputError, match="row 1: no form in JSON"):
        engine.infer(rows, config)
    for _ in range(2):
        result = engine.infer_partial(rows, config.model_copy(update={"bad_rows": "fail"}))
        assert (list(result.rows), list(result.failures)) == ([0, 2], [1])


def test_half_of_a_surrogate_pair_is_written_as_no_character(
    engine: RemoteInferenceEngine, tmp_path: Path
):
    output = tmp_path / "out.jsonl"
    row = ask("row-1", metadata={"note": "\ud83d\ude00 \ud800"})
    engine.infer([row], InferenceConfig(output_path=str(output)))
    assert lines(output)[0]["metadata"]["note"] == "\U0001f600 \ufffd"
