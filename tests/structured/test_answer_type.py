"""A class given as the form stays one: answers are validated by it, and become its objects."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, field_validator

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.core.types import Message, Role
from oumi.errors import StructuredOutputError
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.structured.scripts import bodies, engine, reply, rows, write_rows


class Item(BaseModel):
    name: str
    price: Decimal

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if value == "broken":
            raise KeyError(value)  # which Pydantic lets through
        if not value.isupper():
            raise ValueError("expected capital letters")
        return value


GOOD, SMALL, BROKEN = (
    json.dumps({"name": name, "price": "9.50"}) for name in ("LAMP", "lamp", "broken")
)
LAMP = Item(name="LAMP", price=Decimal("9.50"))


def settings(max_repairs: int = 1, **fields: object) -> InferenceConfig:
    guided = GuidedDecodingParams(json=Item, max_repairs=max_repairs)
    return InferenceConfig(generation=GenerationParams(guided_decoding=guided), **fields)


def test_what_the_class_refuses_is_asked_again_with_its_message(server: FaultServer):
    server.plan(scripts={"row-0": [reply(SMALL), reply(GOOD)]})
    with engine(server) as opened:
        [answer] = opened.infer(rows(1), settings())
    assert answer.parsed() == LAMP
    assert answer.metadata["structured"] == "repaired"
    asked = bodies(server)[-1]["messages"][-1]["content"]
    assert "/name: Value error, expected capital letters" in asked


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SMALL, "/name: Value error, expected capital letters"),
        (BROKEN, "Item refuses it: KeyError"),
    ],
)
def test_what_the_class_goes_on_refusing_is_not_handed_out(
    server: FaultServer, text: str, reason: str
):
    server.plan(scripts={"row-0": [reply(text), reply(text)]})
    with engine(server) as opened:
        [failure] = opened.infer_partial(rows(1), settings()).failures.values()
        server.plan(scripts={"row-0": [reply(text)]})
        with pytest.raises(StructuredOutputError, match=reason):
            list(opened.stream(ask("row-0"), settings()))
    assert reason in failure.error_message
    assert failure.reply == text


def test_answers_of_a_file_are_objects_too_when_they_are_read_again(
    server: FaultServer, tmp_path: Path
):
    server.plan(message={"content": GOOD})
    paths = {
        "input_path": str(write_rows(tmp_path / "in.jsonl", 2)),
        "output_path": str(tmp_path / "out.jsonl"),
    }
    with engine(server) as opened:
        answers = opened.infer(inference_config=settings(**paths))
        assert [answer.parsed() for answer in answers] == [LAMP, LAMP]
        again = opened.infer(inference_config=settings(**paths))
        assert again[1].parsed() == LAMP
    assert server.stats()["requests"] == 2


class Logged(BaseModel):
    judged: ClassVar[list[str]] = []
    name: str

    @field_validator("name")
    @classmethod
    def _log(cls, value: str) -> str:
        cls.judged.append(value)
        return value


def test_an_answer_that_is_valid_as_it_comes_is_judged_once(server: FaultServer, tmp_path: Path):
    server.plan(message={"content": '{"name": "a"}'})
    config = InferenceConfig(
        generation=GenerationParams(guided_decoding=GuidedDecodingParams(json=Logged)),
        input_path=str(write_rows(tmp_path / "in.jsonl", 3)),
        output_path=str(tmp_path / "out.jsonl"),
    )
    with engine(server) as opened:
        opened.infer(inference_config=config)
    assert Logged.judged == ["a"] * 3
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["metadata"]["structured"] for line in lines] == ["native"] * 3


def test_an_interrupted_run_is_judged_by_the_class_when_it_goes_on(
    server: FaultServer, tmp_path: Path
):
    server.plan(scripts={"row-0": [reply(SMALL), reply(GOOD)]})
    paths = {
        "input_path": str(write_rows(tmp_path / "in.jsonl", 1)),
        "output_path": str(tmp_path / "out.jsonl"),
    }
    with engine(server) as opened:
        refused = opened.infer_partial(inference_config=settings(0, **paths))
        assert list(refused.failures) == [0]
        [answer] = opened.infer(inference_config=settings(1, **paths))
    assert answer.parsed() == LAMP
    assert server.stats()["requests"] == 2


def test_an_answer_is_compared_and_written_without_its_class(server: FaultServer):
    server.plan(message={"content": GOOD})
    with engine(server) as opened:
        [typed] = opened.infer(rows(1), settings())
        plain = settings()
        schema = dict(plain.generation.guided_decoding.json)
        plain.generation.guided_decoding = GuidedDecodingParams(json=schema)
        [untyped] = opened.infer(rows(1), plain)
    assert typed == untyped
    assert typed.to_json() == untyped.to_json()
    assert untyped.parsed() == {"name": "LAMP", "price": "9.50"}
    assert typed.model_copy(deep=True).parsed() == LAMP
    assert pickle.loads(pickle.dumps(typed)).parsed() == LAMP
    other = typed.with_reply(Message(role=Role.ASSISTANT, content='{"name": "lamp"}'))
    assert other.parsed() == {"name": "lamp"}


def test_settings_keep_the_class_in_copies_and_pickles_and_its_schema_in_files(tmp_path: Path):
    config = settings()
    config.finalize_and_validate()
    path = tmp_path / "config.yaml"
    config.to_yaml(path)
    read = InferenceConfig.from_yaml(path)
    for copy in (config.model_copy(deep=True), pickle.loads(pickle.dumps(config))):
        assert copy.generation.guided_decoding.json.answer_type.form is Item
        assert copy == config == read
    assert type(read.generation.guided_decoding.json) is dict


def test_a_class_without_a_name_is_left_out_of_pickles():
    class Inner(BaseModel):
        name: str

    guided = GuidedDecodingParams(json=Inner)
    copy = pickle.loads(pickle.dumps(guided))
    assert copy == guided
    assert guided.json.answer_type.form is Inner
    assert copy.json.answer_type is None
