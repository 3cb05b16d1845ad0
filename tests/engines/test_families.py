"""Chat templates of well-known families: the same prompt by each engine, token by token.

One model has them all: a variable of its template says which one is meant.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("transformers")
pytest.importorskip("vllm")

from transformers import AutoTokenizer

from oumi.core.configs import ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import (
    InferenceEngine,
    LlamaCppInferenceEngine,
    NativeTextInferenceEngine,
    VLLMInferenceEngine,
)
from oumi.models import TINY
from tests.engines.conftest import vllm_params
from tests.engines.families import FAMILIES
from tests.engines.test_chat_templates import talk

NAMES = list(FAMILIES)
KIND = talk("Hi", "Hello", "Why?", system="Be kind.")
TALKS = [
    KIND,
    talk("What is the capital of France?"),
    talk("Grüße, 漢字 🎉\n\n{{ messages }} & <b>'quotes'</b>", "Hallo", "Why?", "So", "And 3+4?"),
    talk("What is 2+2?", "<think>\nTwo and two.\n</think>\n\n4", "And 3+3?", system="Answer."),
    Conversation(
        messages=[
            Message(role=Role.USER, content="Hi"),
            Message(role=Role.ASSISTANT, content="Hello", reasoning_content="They greet me."),
            Message(role=Role.USER, content="Why?"),
        ]
    ),
]


def template_of_all() -> str:
    branches = (
        f"{{%- {'elif' if number else 'if'} family == {number} -%}}\n{text}"
        for number, (text, _) in enumerate(FAMILIES.values())
    )
    first = "{%- set family = family if family is defined else 0 -%}"
    return first + "".join(branches) + "{%- endif -%}"


@pytest.fixture(scope="module")
def engines(vllm_environment: None) -> Iterator[dict[str, InferenceEngine]]:
    template = template_of_all()
    few = {"n_parallel": 2, "n_threads": 1}
    with (
        LlamaCppInferenceEngine(ModelParams(chat_template=template, model_kwargs=few)) as llama,
        NativeTextInferenceEngine(ModelParams(chat_template=template)) as native,
        VLLMInferenceEngine(vllm_params(chat_template=template)) as vllm,
    ):
        yield {"LLAMACPP": llama, "NATIVE": native, "VLLM": vllm}


@pytest.mark.parametrize("name", NAMES)
def test_each_engine_makes_the_same_prompts(engines: dict[str, InferenceEngine], name: str):
    tokenizer = AutoTokenizer.from_pretrained(TINY / "hf")
    number = NAMES.index(name)
    prompts = {
        engine: [loaded.apply_chat_template(row, family=number) for row in TALKS]
        for engine, loaded in engines.items()
    }
    assert prompts["NATIVE"][0] == FAMILIES[name][1]
    tokens = {
        engine: [tokenizer.encode(text, add_special_tokens=False) for text in texts]
        for engine, texts in prompts.items()
    }
    assert tokens["LLAMACPP"] == tokens["NATIVE"]
    assert tokens["VLLM"] == tokens["NATIVE"]
