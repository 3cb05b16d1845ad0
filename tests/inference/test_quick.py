"""`oumi.infer` in our order of arguments and in that of the upstream library."""

from __future__ import annotations

import json

import pytest

import oumi
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from tests.conftest import answers, ask, sums
from tests.fault_server import FaultServer

QUESTIONS = ["row-1", "row-2"]
ANSWERS = ["answer to row-1", "answer to row-2"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def config(server: FaultServer) -> InferenceConfig:
    return InferenceConfig(
        engine="REMOTE",
        model=ModelParams(model_name="m"),
        remote_params=RemoteParams(api_url=server.api_url),
    )


@pytest.fixture
def engine(config: InferenceConfig) -> RemoteInferenceEngine:
    return RemoteInferenceEngine(config.model, remote_params=config.remote_params)


def sent(server: FaultServer) -> list[dict[str, object]]:
    return json.loads(server.stats()["last"][-1]["body"])["messages"]


def test_both_orders_of_arguments(config: InferenceConfig):
    assert answers(oumi.infer(QUESTIONS, config)) == ANSWERS
    assert answers(oumi.infer(config, QUESTIONS)) == ANSWERS
    assert answers(oumi.infer(config, inputs=QUESTIONS)) == ANSWERS
    assert answers(oumi.infer(config=config, inputs=QUESTIONS)) == ANSWERS
    assert answers(oumi.infer(config, inputs=["row-1"])) == ANSWERS[:1], "a list gives a list"


def test_a_file_named_in_the_config(config: InferenceConfig, write_jsonl):
    source = write_jsonl([ask(question) for question in QUESTIONS])
    with_file = config.model_copy(update={"input_path": str(source)})
    assert answers(oumi.infer(with_file)) == ANSWERS


def test_an_engine_is_used_again(config: InferenceConfig, engine: RemoteInferenceEngine):
    for _ in range(2):
        assert answers(oumi.infer(config, QUESTIONS, inference_engine=engine)) == ANSWERS
    assert oumi.infer("row-1", engine=engine).messages[-1].content == ANSWERS[0]
    with oumi.get_engine(config) as own:
        assert answers(own.infer(QUESTIONS)) == ANSWERS


def test_a_system_prompt_and_images_go_with_each_question(
    config: InferenceConfig, server: FaultServer
):
    oumi.infer(config, ["row-1"], system_prompt="Be brief.", input_image_bytes=[PNG])
    system, user = sent(server)
    assert system == {"role": "system", "content": "Be brief."}
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert user["content"][1]["text"] == "row-1"


@pytest.mark.parametrize("wrong", [("row-1", ["row-2"]), (InferenceConfig(), InferenceConfig())])
def test_arguments_that_make_no_sense(wrong: tuple[object, object]):
    with pytest.raises(TypeError, match="one InferenceConfig"):
        oumi.infer(*wrong)


def test_the_model_in_the_package():
    assert oumi.infer(sums(1)[0], max_new_tokens=16).messages[-1].content
