from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.configs.secrets import shown_settings
from oumi.errors import ConfigError


def load(tmp_path: Path, text: str, *overrides: tuple[str, str]) -> InferenceConfig:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return InferenceConfig.from_yaml(path, overrides)


def test_a_file_as_users_have_it(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, logger="oumi"):
        config = load(
            tmp_path,
            "model:\n  model_name: a/b\n  torch_dtype_str: bfloat16\n  shard_for_eval: true\n"
            "generation:\n  max_new_tokens: 64\n  top_p: 0.9\nengine: LLAMACPP\n",
        )
    assert config.model.torch_dtype == config.model.torch_dtype_str == "bfloat16"
    assert config.generation.top_p == 0.9
    assert config.engine is InferenceEngineType.LLAMACPP
    assert "shard_for_eval" in caplog.text


def test_defaults_of_the_guide():
    assert RemoteParams().max_retries == 3
    assert RemoteParams().politeness_policy == 0
    assert RemoteParams().batch_completion_window == "24h"
    assert InferenceConfig().model.model_name == "oumi-tiny"


def test_overrides_are_typed_by_yaml(tmp_path: Path):
    config = load(
        tmp_path,
        "generation: {temperature: 1}\n",
        ("generation.temperature", "0.5"),
        ("generation.stop_strings", "[a, b]"),
        ("input_path", "in.jsonl"),
    )
    assert config.generation.temperature == 0.5
    assert config.generation.stop_strings == ["a", "b"]
    assert config.input_path == "in.jsonl"


def test_environment_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLACE", "there")
    config = load(
        tmp_path,
        "input_path: ${PLACE}/in\noutput_path: ${NOWHERE:-out}\n"
        "model: {model_name: '${oc.env:PLACE}'}\n",
    )
    assert (config.input_path, config.output_path) == ("there/in", "out")
    assert config.model.model_name == "there"
    with pytest.raises(ConfigError, match=r"model\.model_name: the environment variable NOWHERE"):
        load(tmp_path, "model:\n  model_name: ${NOWHERE}\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("generation:\n  temprature: 1\n", r"run.yaml:2: generation.temprature: .*'temperature'"),
        ("model:\n\n  model_name: [1]\n", r"run.yaml:3: model.model_name: .*\[1\]"),
        ("generation:\n  top_p: 3\n", r"run.yaml:2: generation.top_p: .*less than or equal to 1"),
        ("engine: FOO\n", r"run.yaml:1: engine: .*LLAMACPP"),
        ("modl: {}\n", r"run.yaml:1: modl: .*'model'"),
        ("- a\n", "name: value"),
        ("a: [\n", "not YAML"),
        ("a: !!python/object:os.system {}\n", "not plain YAML"),
        ("generation:\n  guided_decoding: {json: {}, regex: a}\n", "exactly one"),
        ("generation:\n  guided_decoding: {regex: '['}\n", "not a regular expression"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        InferenceConfig.from_yaml(tmp_path / "none.yaml")


def test_a_wrong_name_in_code_names_the_nearest():
    with pytest.raises(ValidationError, match="did you mean 'temperature'"):
        GenerationParams(temprature=1)


def test_a_call_wins_field_by_field_and_changes_nothing():
    made = InferenceConfig(
        model=ModelParams(model_name="m"),
        generation=GenerationParams(temperature=0.7, max_new_tokens=5),
    )
    call = InferenceConfig(generation=GenerationParams(max_new_tokens=9))
    merged = made.merge(call)
    assert merged.generation.temperature == 0.7
    assert merged.generation.max_new_tokens == 9
    assert merged.model.model_name == "m"
    assert made.generation.max_new_tokens == 5
    assert call.generation.temperature == 0.0


def test_the_key_is_masked_and_not_saved(tmp_path: Path):
    config = InferenceConfig(remote_params=RemoteParams(api_key="sk-secret", num_workers=2))
    assert "sk-secret" not in repr(config)
    config.to_yaml(tmp_path / "saved.yaml")
    text = (tmp_path / "saved.yaml").read_text()
    assert "sk-secret" not in text
    assert InferenceConfig.from_yaml(tmp_path / "saved.yaml").remote_params.num_workers == 2


@pytest.mark.parametrize("text", ["api_key: [12345]", "api_kye: sk-12345", "num_workers: 0"])
def test_an_error_does_not_show_the_key(tmp_path: Path, text: str):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"remote_params:\n  {text}\n")
    assert "12345" not in str(caught.value)
    assert "run.yaml:2" in str(caught.value)


def test_a_schema_class_is_a_schema():
    class Product(BaseModel):
        name: str

    schema = Product.model_json_schema()
    assert GuidedDecodingParams(json=Product).json == schema
    assert GuidedDecodingParams(json=json.dumps(schema)).json == schema
    with pytest.raises(ValidationError, match="not JSON"):
        GuidedDecodingParams(json="{")
    with pytest.raises(ValidationError, match="found int"):
        GuidedDecodingParams(json=3)
    assert GuidedDecodingParams(json={"type": "object"}).form == "json"


def test_a_config_as_text_and_as_values():
    config = InferenceConfig.from_str("model: {model_name: m}\nremote_params: {api_key: sk-secret}")
    assert config.to_dict(only_set=True) == {"model": {"model_name": "m"}, "remote_params": {}}
    values = config.to_dict()
    assert values["generation"]["max_new_tokens"] == 1024
    assert "api_key" not in values["remote_params"]
    assert InferenceConfig.model_validate(values).model == config.model
    assert ModelParams("m").to_dict(only_set=True) == {"model_name": "m"}
    with pytest.raises(ConfigError, match=r"^line 2: generation\.top: .*'top_p'"):
        InferenceConfig.from_str("generation:\n  top: 1\n")
    for text in ("- a", "a: [", "a: !!python/object:os.system {}"):
        with pytest.raises(ConfigError, match=r"YAML|name: value"):
            InferenceConfig.from_str(text)


def test_arguments_win_over_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "run.yaml"
    path.write_text("model: {model_name: m}\ngeneration: {seed: 1, temperature: 0.5}\n")
    arguments = ["generation.seed=2", "--model.model_name=1.5", "--local-rank=0"]
    config = InferenceConfig.from_yaml_and_arg_list(str(path), arguments)
    assert (config.generation.seed, config.generation.temperature) == (2, 0.5)
    assert config.model.model_name == "1.5"
    assert InferenceConfig.from_yaml_and_arg_list(None, []) == InferenceConfig()
    logger = logging.getLogger("oumi.of-a-test")
    for wrong in (["generation.seed"], ["generation.sed=1"], ["=1"]):
        with pytest.raises(ConfigError, match="seed"):
            InferenceConfig.from_yaml_and_arg_list(path, wrong, logger=logger)
    assert "did you mean 'seed'" in caplog.text


def test_variables_may_be_left_as_they_are(tmp_path: Path):
    path = tmp_path / "run.yaml"
    path.write_text("model: {model_name: '${NOWHERE}'}")
    config = InferenceConfig.from_yaml(path, ignore_interpolation=True)
    assert config.model.model_name == "${NOWHERE}"


def test_a_config_is_printed_without_keys(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    config = InferenceConfig(remote_params=RemoteParams(api_key="sk-secret", num_workers=2))
    config.print_config()
    with caplog.at_level(logging.INFO, logger="of-a-test"):
        config.print_config(logging.getLogger("of-a-test"))
    for shown in (capsys.readouterr().out, caplog.text):
        assert "  num_workers: 2\n" in shown
        assert "sk-secret" not in shown


def test_what_was_changed_in_place_is_checked():
    config = InferenceConfig(generation=GenerationParams(stop_strings=["a"]))
    config.finalize_and_validate()
    config.generation.stop_strings.append(3)
    for group in (config, config.generation):
        with pytest.raises(ConfigError, match=r"stop_strings\.1: .*string"):
            group.finalize_and_validate()


def test_the_name_of_a_model_may_stand_alone():
    assert ModelParams("m", torch_dtype="bf16") == ModelParams(model_name="m", torch_dtype="bf16")
    assert ModelParams("m").model_fields_set == {"model_name"}
    with pytest.raises(TypeError, match="model_name"):
        ModelParams("m", model_name="n")
    with pytest.raises(TypeError, match="positional"):
        ModelParams("m", "n")


def test_a_path_may_be_an_object():
    config = InferenceConfig(
        model=ModelParams(model_name=Path("model.gguf")),
        input_path=[Path("a.jsonl"), "b.jsonl"],
        output_path=Path("out.jsonl"),
        cache=Path("answers"),
    )
    assert config.model.model_name == "model.gguf"
    assert config.input_path == ["a.jsonl", "b.jsonl"]
    assert (config.output_path, config.cache) == ("out.jsonl", "answers")


def test_an_empty_window_is_the_usual_one(tmp_path: Path):
    config = load(tmp_path, "remote_params: {batch_completion_window: null}\n")
    assert config.remote_params.batch_completion_window == "24h"


def test_shown_settings_hold_nothing_secret():
    given = {
        "model": {"model_name": "m", "model_kwargs": {"hub_token": "hf-1", "deep": {"key": "k-2"}}},
        "generation": {"max_new_tokens": 7},
        "remote_params": {"api_key": "sk-3", "headers": {"Authorization": "b-4", "X-Team": "a"}},
        "input_path": ["https://u:p-5@host/in.csv?sig=s-6", "more.csv"],
        "output_path": "out.jsonl",
    }
    shown = shown_settings(InferenceConfig.model_validate(given))
    assert shown["generation"] == {"max_new_tokens": 7}
    assert shown["model"]["model_kwargs"] == {"hub_token": "***", "deep": {"key": "***"}}
    assert shown["input_path"] == ["https://host/in.csv", "more.csv"]
    assert not [key for key in ("hf-1", "k-2", "sk-3", "b-4", "p-5", "s-6") if key in str(shown)]
