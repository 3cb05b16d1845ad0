"""Arguments of vLLM, checked before anything is loaded."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from oumi.core.configs import ModelParams
from oumi.errors import ConfigError, MissingDependencyError
from oumi.inference import VLLMInferenceEngine
from oumi.models import TINY, TINY_GGUF

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("vllm"), reason="no vLLM here")

HF = str(TINY / "hf")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"tensor_paralel_size": 2}, r"tensor_paralel_size: .*'tensor_parallel_size'"),
        ({"load_in_8bit": True}, "quantization to fp8"),
        ({"tool_call_parser": "hermess"}, "hermes"),
        ({"filename": TINY_GGUF.name}, r"model\.tokenizer_name"),
    ],
)
def test_a_wrong_argument_of_the_class_is_named(arguments: dict[str, Any], reason: str):
    with pytest.raises(ConfigError, match=reason):
        VLLMInferenceEngine(ModelParams(HF), **arguments)


def test_arguments_of_the_engine():
    from oumi.backends.local.vllm.arguments import engine_args

    kwargs = {"tensor_parallel_size": -1, "quantization_config": {"quant_method": "mxfp4"}}
    args = engine_args(ModelParams(HF, model_kwargs=kwargs))
    assert (args.tensor_parallel_size, args.quantization) == (1, "mxfp4")
    guesses = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 3}
    args = engine_args(ModelParams(HF, model_kwargs={"speculative_config": guesses}))
    assert args.speculative_config == guesses


def test_a_gguf_file_needs_the_plugin():
    from oumi.backends.local.vllm.versions import QUANTIZATION_METHODS

    if "gguf" in QUANTIZATION_METHODS:
        pytest.skip("it is installed here")
    model = ModelParams(str(TINY_GGUF), tokenizer_name=HF)
    with pytest.raises(MissingDependencyError, match=r"vllm-gguf-plugin.*LLAMACPP"):
        VLLMInferenceEngine(model)
