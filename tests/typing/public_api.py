"""What the documentation shows, as a user's typed code; two type checkers read it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_type

from pydantic import BaseModel

import oumi
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import RunEstimate
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role, Type
from oumi.core.types.result import InferenceResult
from oumi.errors import InferenceError, OumiError
from oumi.inference import (
    LlamaCppInferenceEngine,
    NativeTextInferenceEngine,
    OpenAIInferenceEngine,
    VLLMInferenceEngine,
    build_inference_engine,
)


class Product(BaseModel):
    name: str
    price: float


@dataclass
class Person:
    name: str


def look(image: bytes) -> str:
    """Say what an image shows."""
    return str(len(image))


def settings() -> InferenceConfig:
    return InferenceConfig(
        model=ModelParams(model_name="gpt-4o-mini", model_kwargs={"n_ctx": 4096}),
        generation=GenerationParams(
            max_new_tokens=64,
            temperature=0.7,
            stop_strings=["\n"],
            logit_bias={42: 1.5},
            guided_decoding=GuidedDecodingParams(json=Product),
        ),
        remote_params=RemoteParams(api_key="sk-…", num_workers=4, headers={"x-team": "a"}),
        engine=InferenceEngineType.OPENAI,
        input_path="in.jsonl",
        output_path="out.jsonl",
    )


def constraints() -> list[GuidedDecodingParams]:
    return [
        GuidedDecodingParams(json=Product),
        GuidedDecodingParams(json=Person),
        GuidedDecodingParams(json=Product.model_json_schema()),
        GuidedDecodingParams(json=list[int]),
        GuidedDecodingParams(json='{"type": "object"}'),
        GuidedDecodingParams(json=Path("schema.json")),
        GuidedDecodingParams(choice=["yes", "no"]),
        GuidedDecodingParams(regex=r"\d+"),
        GuidedDecodingParams(grammar='root ::= "a"', max_repairs=0),
    ]


def conversations() -> list[Conversation]:
    return [
        Conversation(messages=[Message(role=Role.USER, content="Hello")]),
        Conversation(
            conversation_id="2",
            messages=[
                Message(role="system", content="Be brief."),
                Message(
                    role="user",
                    content=[
                        ContentItem(type=Type.TEXT, content="What is this?"),
                        ContentItem(type="image_path", content="cat.png"),
                        ContentItem(type=Type.IMAGE_BINARY, binary=b"..."),
                    ],
                ),
            ],
            metadata={"source": 1},
            tools=[look],
        ),
        Conversation(
            messages=[{"role": "user", "content": "What is in it?"}],
            tools=[{"name": "look", "parameters": {"type": "object"}}],
        ),
    ]


def ask() -> None:
    engine = OpenAIInferenceEngine(
        model_params=ModelParams(model_name="gpt-4o-mini"),
        remote_params=RemoteParams(api_key="sk-…"),
    )
    answers = engine.infer(conversations(), settings())
    assert_type(answers, Sequence[Conversation])
    assert_type(answers[0].messages[-1], Message)
    assert_type(answers[0].parsed(Product), Product)
    engine.infer("Hello")
    engine.infer(["Hello", "Goodbye"], inference_config=settings())
    engine.infer([{"role": "user", "content": "Hello"}])
    engine.infer([[{"role": "user", "content": "Hello"}], [{"role": "user", "content": "Hi"}]])
    engine.infer(text for text in ("a", "b"))
    result = engine.infer_partial(conversations(), settings(), progress_path="progress.json")
    assert_type(result, InferenceResult)
    for row, failure in result.failures.items():
        print(row, failure.error_message)
    for piece in engine.stream("Hello"):
        print(piece.content, end="")
    before = engine.estimate(conversations(), settings(), pilot=20)
    assert_type(before, RunEstimate)
    if before.cost_usd is not None:
        assert_type(before.cost_usd.high, float)
    batch_id = engine.infer_batch(conversations(), settings())
    assert_type(batch_id, str)
    print(engine.get_batch_status(batch_id).status, engine.list_models())
    assert_type(list(engine.get_batch_results(batch_id, conversations())), list[Conversation])


async def ask_at_once() -> None:
    with LlamaCppInferenceEngine(ModelParams(model_name="oumi-tiny")) as engine:
        first, second = await asyncio.gather(engine.ainfer("a"), engine.ainfer(["b", "c"]))
        print(first[0], second[1])
        async for piece in engine.astream("Hello"):
            print(piece.content)


def others() -> None:
    for kind in (VLLMInferenceEngine, NativeTextInferenceEngine):
        kind(model_params=ModelParams(model_name="m", torch_dtype="bfloat16")).close()
    build_inference_engine(InferenceEngineType.VLLM, ModelParams(model_name="m"), None).close()
    try:
        answer = oumi.infer("Hello", max_new_tokens=8)
        assert_type(answer, Conversation)
        print(answer[-1].content)
    except InferenceError as error:
        result: InferenceResult = error.result
        print(result.error_messages)
    except OumiError as error:
        print(error)
    assert_type(oumi.infer(["Hello", "Goodbye"]), Sequence[Conversation])
    assert_type(oumi.infer("Hello", n=3, temperature=1.0), Sequence[Conversation])
    config = InferenceConfig.from_yaml("run.yaml")
    oumi.infer(config, ["Hello"])
    config.to_yaml("copy.yaml")
    assert_type(oumi.__version__, str)
