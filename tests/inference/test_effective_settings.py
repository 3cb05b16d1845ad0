"""Settings under other names and in other forms, on an engine that runs."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from oumi.backends.effective_settings import with_effective_model
from oumi.backends.local.llama_cpp.params import make_params
from oumi.backends.registry import find_engine, own_rows
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError, ModelNotFoundError, OumiError
from oumi.inference import LlamaCppInferenceEngine, OpenAIInferenceEngine
from oumi.models import TINY_GGUF
from tests.conftest import answers, ask, short
from tests.fault_server import FaultServer

KWARGS = {"n_gpu_layers": 0, "n_ctx": 512, "n_batch": 512, "low_vram": True, "device_map": "cpu"}


def effective(engine: str, **kwargs: object) -> ModelParams:
    config = InferenceConfig(model=ModelParams("m", model_kwargs=kwargs))
    return with_effective_model(find_engine(engine), config).model


def test_names_of_llama_cpp_python_are_taken(tmp_path: Path):
    (tmp_path / "model.gguf").symlink_to(TINY_GGUF)
    model = ModelParams(str(tmp_path / "model.gguf"), model_kwargs=KWARGS)
    with LlamaCppInferenceEngine(model) as engine:
        assert answers(engine.infer([ask("What is 2+2?")], short(model=model)))[0]
        taken = engine.session().config.model
    assert (taken.model_max_length, taken.device_map) == (512, "cpu")
    assert model.model_kwargs == KWARGS
    params = make_params(taken, "key")
    assert params.no_kv_offload
    assert params.n_ctx == 512 * params.n_parallel


@pytest.mark.parametrize(
    ("kwargs", "mode"),
    [
        ({"use_mmap": True}, "MMAP"),
        ({"use_mmap": False}, "NONE"),
        ({"use_mlock": True}, "MMAP_MLOCK"),
        ({"use_mlock": True, "use_mmap": False}, "MLOCK"),
        ({"use_mmap": False, "use_mlock": True}, "MLOCK"),
        ({"use_mlock": False, "use_mmap": True, "offload_kqv": True, "verbose": False}, "MMAP"),
    ],
)
def test_how_a_file_is_held_in_memory(kwargs: dict[str, bool], mode: str):
    params = make_params(ModelParams(model_kwargs=kwargs), "key")
    assert params.load_mode.name == f"LLAMA_LOAD_MODE_{mode}"
    assert not params.no_kv_offload


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"n_ctxx": 5}, r"n_ctxx: llama\.cpp has no such parameter; .*'n_ctx'"),
        ({"n_ctx": "many"}, r"model_kwargs\.n_ctx: .*integer"),
        ({"use_mmap": 1}, "expected true or false"),
        ({"load_in_4bit": True}, "quantized already"),
        ({"seed": 1}, r"use generation\.seed"),
        ({"chat_format": "llama-2"}, r"use model\.chat_template"),
    ],
)
def test_what_llama_cpp_cannot_honour_is_named(kwargs: dict[str, object], reason: str):
    with pytest.raises(ConfigError, match=reason):
        LlamaCppInferenceEngine(ModelParams(model_kwargs=kwargs))


@pytest.mark.parametrize("row", own_rows(), ids=lambda row: row.name)
def test_arguments_of_transformers_are_settings_on_every_engine(row):
    taken = effective(row.name, device_map="auto", torch_dtype="half", revision="abc")
    assert taken.model_kwargs == {}
    assert (taken.torch_dtype, taken.model_revision) == ("float16", "abc")


def test_a_setting_given_twice_has_one_value():
    model = ModelParams("m", torch_dtype="float16", model_kwargs={"torch_dtype": "fp16"})
    native = find_engine("NATIVE")
    assert with_effective_model(native, InferenceConfig(model=model)).model.model_kwargs == {}
    other = model.model_copy(update={"torch_dtype": "bfloat16"})
    with pytest.raises(ConfigError, match=r"another value than the 'bfloat16' of model\.torch_"):
        with_effective_model(native, InferenceConfig(model=other))


def test_names_of_vllm():
    taken = effective("VLLM", dtype="bf16", max_model_len=99, tokenizer="a/b", max_num_seqs=2)
    assert (taken.torch_dtype, taken.model_max_length) == ("bfloat16", 99)
    assert (taken.tokenizer_name, taken.model_kwargs) == ("a/b", {"max_num_seqs": 2})


@pytest.mark.parametrize("name", ["filename", "n_ctx", "load_in_4bit", "quantization_config"])
def test_an_api_is_not_sent_how_to_load_a_model(name: str):
    model = ModelParams("gpt-4o", model_kwargs={name: 1})
    with pytest.raises(ConfigError, match=rf"{name}: OPENAI loads no model.*LLAMACPP"):
        OpenAIInferenceEngine(model, remote_params=RemoteParams(api_key="k"))


def test_one_file_of_a_folder_by_a_pattern(tmp_path: Path):
    for name in ("a-q4_0.gguf", "a-q8_0.gguf"):
        (tmp_path / name).symlink_to(TINY_GGUF)
    kwargs = {"filename": "*q8_0.gguf", "n_ctx": 256}
    with LlamaCppInferenceEngine(ModelParams(str(tmp_path), model_kwargs=kwargs)) as engine:
        assert answers(engine.infer([ask("Hi")], short()))
    for pattern, reason in {"*.gguf": "fits 2 files: a-q4_0", "*q2*": "fits no file"}.items():
        with pytest.raises(ModelNotFoundError, match=reason):
            LlamaCppInferenceEngine(ModelParams(str(tmp_path), model_kwargs={"filename": pattern}))


def test_a_repository_without_a_file_asks_for_one():
    with pytest.raises(ModelNotFoundError, match=r"owner/repo:file\.gguf or in model\.model_kw"):
        LlamaCppInferenceEngine(ModelParams("owner/repo"))


def test_a_folder_with_an_adapter_names_its_model(tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "a/b"}))
    config = InferenceConfig(model=ModelParams(str(tmp_path)))
    taken = with_effective_model(find_engine("NATIVE"), config).model
    assert (taken.model_name, taken.adapter_model) == ("a/b", str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    taken = with_effective_model(find_engine("NATIVE"), config).model
    assert (taken.model_name, taken.adapter_model) == (str(tmp_path), str(tmp_path))
    (tmp_path / "config.json").unlink()
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="base_model_name_or_path"):
        with_effective_model(find_engine("VLLM"), config)


def test_top_p_0_is_greedy(server: FaultServer, engine: LlamaCppInferenceEngine):
    sampled = GenerationParams(max_new_tokens=12, temperature=5.0, top_p=0)
    greedy = GenerationParams(max_new_tokens=12, temperature=0.0)
    texts = [
        answers(engine.infer([ask("What is 2+2?")], InferenceConfig(generation=one)))
        for one in (sampled, sampled, greedy)
    ]
    assert texts[0] == texts[1] == texts[2]
    remote = RemoteParams(api_url=server.api_url, api_key="k")
    api = OpenAIInferenceEngine(ModelParams("m"), generation_params=sampled, remote_params=remote)
    with api:
        call = InferenceConfig(generation=GenerationParams(temperature=0.9))
        api.infer([ask("row-1")], call)
    body = json.loads(server.stats()["last"][0]["body"])
    assert body["temperature"] == 0
    assert "top_p" not in body


def test_fields_of_training_are_read_and_shape_no_answer(
    caplog: pytest.LogCaptureFixture, engine: LlamaCppInferenceEngine
):
    assert (ModelParams().load_pretrained_weights, GenerationParams().use_sampling) == (True, False)
    assert ModelParams().freeze_layers == []
    with caplog.at_level(logging.WARNING, logger="oumi"):
        model = ModelParams(shard_for_eval=True, freeze_layers=["a"])
        ModelParams(freeze_layers=["b"], shard_for_eval=True)
    assert caplog.text.count("without effect on inference here: freeze_layers, shard_for_eval") == 1
    assert model.shard_for_eval
    assert "shard_for_eval" not in model.model_dump()
    with pytest.raises(ValueError, match="freeze_layers"):
        ModelParams(freeze_layers=3)
    config = short(model=model)
    assert engine.session(config).identity == engine.session(short()).identity


def test_number_formats_have_short_names():
    torch_value = type("dtype", (), {"__module__": "torch", "__str__": lambda _: "torch.float16"})()
    given = ["f32", "half", "bf16", "torch.bfloat16", "double", torch_value, "auto"]
    full = ["float32", "float16", "bfloat16", "bfloat16", "float64", "float16", "auto"]
    assert [ModelParams(torch_dtype=one).torch_dtype for one in given] == full
    with pytest.raises(ValueError, match="torch_dtype"):
        ModelParams(torch_dtype=16)


def test_an_engine_refuses_before_it_loads():
    with pytest.raises(OumiError, match="no such parameter"):
        LlamaCppInferenceEngine(ModelParams("/nowhere.gguf", model_kwargs={"nn": 1}))
