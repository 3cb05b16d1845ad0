"""What arguments of Transformers and llama.cpp mean to vLLM. Needs no vLLM."""

from __future__ import annotations

from typing import Any

import pytest

from oumi.backends.local.vllm.settings import LOADING
from oumi.backends.local.vllm.transformers_kwargs import check_gguf, translate_kwargs
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.errors import ConfigError
from oumi.models import TINY_GGUF


@pytest.mark.parametrize(
    ("kwargs", "arguments"),
    [
        ({"max_num_seqs": 2}, {"max_num_seqs": 2}),
        ({"load_in_4bit": True}, {"quantization": "bitsandbytes"}),
        ({"load_in_4bit": False}, {}),
        ({"quantization_config": {"quant_method": "mxfp4"}}, {"quantization": "mxfp4"}),
        ({"quantization_config": {"load_in_4bit": True}}, {"quantization": "bitsandbytes"}),
        ({"quantization_config": {"linear": "fp8"}}, {"quantization_config": {"linear": "fp8"}}),
        (
            {"quantization_config": {"quant_method": "gptq", "bits": 4}},
            {
                "quantization": "gptq",
                "hf_overrides": {"quantization_config": {"quant_method": "gptq", "bits": 4}},
            },
        ),
    ],
)
def test_quantization(kwargs: dict[str, Any], arguments: dict[str, Any]):
    assert translate_kwargs(kwargs) == arguments


@pytest.mark.parametrize("kwargs", [{"load_in_8bit": True}, {"quantization_config": None}])
def test_8_bits_have_another_way(kwargs: dict[str, Any]):
    if kwargs.get("load_in_8bit"):
        with pytest.raises(ConfigError, match="quantization to fp8"):
            translate_kwargs(kwargs)
    else:
        assert translate_kwargs(kwargs) == {}


def test_a_gguf_file_beside_its_folder():
    model = ModelParams(
        str(TINY_GGUF.parent), tokenizer_name="a/b", model_kwargs={"filename": TINY_GGUF.name}
    )
    check_gguf(model)
    sent = LOADING.encode(InferenceConfig(model=model), model)
    assert (sent["model"], sent["quantization"]) == (str(TINY_GGUF), "gguf")
    assert (sent["tokenizer"], "filename" in sent) == ("a/b", False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"model_kwargs": {"filename": "a.gguf"}}, r"name that in model\.tokenizer_name"),
        (
            {"model_kwargs": {"filename": "a.gguf"}, "tokenizer_name": "o/r"},
            r"name that in model\.tokenizer_name",
        ),
        ({"model_kwargs": {"filename": "a.bin"}, "tokenizer_name": "t"}, r"is no \.gguf file"),
    ],
)
def test_what_a_gguf_file_needs(fields: dict[str, Any], reason: str):
    with pytest.raises(ConfigError, match=reason):
        check_gguf(ModelParams("o/r", **fields))
