"""LLAMACPP, VLLM and NATIVE give the same text to the same greedy prompt, in float32."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("transformers")
pytest.importorskip("vllm")
pytest.importorskip("gguf")

from safetensors.numpy import load_file

from oumi.core.configs import ModelParams
from oumi.inference import (
    InferenceEngine,
    LlamaCppInferenceEngine,
    NativeTextInferenceEngine,
    VLLMInferenceEngine,
)
from oumi.models import TINY
from tests.conftest import answers, ask
from tests.engines.asking import generation

QUESTIONS = [
    *(f"What is {i} plus {3 * i + 1}?" for i in range(12)),
    *(f"What is {7 * i} minus {i}?" for i in range(1, 7)),
    *(f"Count from 1 to {n}." for n in (5, 8, 13, 20)),
    *(f"What is the capital of {c}?" for c in ("France", "Spain", "Peru", "Japan", "Egypt")),
    *(f"Repeat after me: {text}" for text in ("one two three", "Zwölf Boxkämpfer", "a b a b")),
    *(f"List the {what}." for what in ("days of the week", "months", "colours of the rainbow")),
    *(f"Write a short story about a {w}." for w in ("dog", "robot", "pirate")),
    *(f"Extract the name and age as JSON: {t}" for t in ("Anna is 31.", "Bob, 7 years old")),
    *("Hello!", "Who are you?", "What can you do?", "Thank you.", "Why is the sky blue?"),
    *("How do I read a file in Python?", "Explain what a function is.", "Tell me a joke."),
    *("Write a poem about rain.", "Name ten animals.", "Translate to French: good morning"),
    "Is this good or bad? I loved every minute of it.",
]

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Engine and question of each text that is not that of LLAMACPP, and why."""


def exporter() -> ModuleType:
    path = Path(__file__).parents[2] / "models/tiny/export.py"
    spec = importlib.util.spec_from_file_location("export_tiny", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def float32_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the model in this package, whose own GGUF file has float16."""
    path = tmp_path_factory.mktemp("models") / "oumi-tiny.gguf"
    shape = json.loads((TINY / "hf/config.json").read_text())
    shape["rope_theta"] = shape["rope_parameters"]["rope_theta"]
    arrays = load_file(TINY / "hf/model.safetensors")
    exporter().write_gguf(path, arrays, shape, TINY / "hf", "float32")
    return path


@pytest.fixture(scope="module")
def texts(float32_gguf: Path) -> Iterator[dict[str, list[str]]]:
    exact = {"flash_attn": False, "cache_type_k": 0, "cache_type_v": 0}
    small = {"enforce_eager": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        engines: list[tuple[type[InferenceEngine], ModelParams]] = [
            (
                LlamaCppInferenceEngine,
                ModelParams(model_name=str(float32_gguf), model_kwargs=exact),
            ),
            (
                VLLMInferenceEngine,
                ModelParams(torch_dtype="float32", model_max_length=1024, model_kwargs=small),
            ),
            (NativeTextInferenceEngine, ModelParams(torch_dtype="float32")),
        ]
        yield {kind.engine_type.value: ask_all(kind, model) for kind, model in engines}


def ask_all(kind: type[InferenceEngine], model: ModelParams) -> list[str]:
    rows = [ask(question) for question in QUESTIONS]
    with kind(model) as engine:
        return answers(engine.infer(rows, generation(max_new_tokens=96)))


def test_there_are_fifty_different_questions():
    assert len(QUESTIONS) == len(set(QUESTIONS)) == 50


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["VLLM", "NATIVE"])
def test_the_text_is_that_of_llama_cpp(texts: dict[str, list[str]], engine: str):
    different = {
        question: (text, expected)
        for question, text, expected in zip(
            QUESTIONS, texts[engine], texts["LLAMACPP"], strict=True
        )
        if text != expected
    }
    listed = {question for name, question in EXCEPTIONS if name == engine}
    assert different.keys() == listed, different
