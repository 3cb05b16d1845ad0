"""Settings from the command line."""

import click
import pytest

from oumi.cli.overrides import mask_keys, split
from oumi.core.configs import InferenceConfig

OWN = {"--config", "-c", "--quiet", "--help"}


def settings(*args: str) -> InferenceConfig:
    overrides, rest = split(list(args), OWN)
    assert rest == []
    return InferenceConfig.from_overrides(overrides)


@pytest.mark.parametrize(
    "args",
    [
        ("--generation.temperature", "0.5"),
        ("--generation.temperature=0.5",),
        ("--generation.max-new-tokens", "7", "--generation.temperature", "5e-1"),
    ],
)
def test_ways_to_write_one(args: tuple[str, ...]) -> None:
    assert settings(*args).generation.temperature == 0.5


@pytest.mark.parametrize("path", ["-", "1.5", "2024-01-01", "no", "a: b", "[x", "ü😀 .jsonl", "{}"])
def test_text_stays_text(path: str) -> None:
    assert settings("--input-path", path).input_path == path
    assert settings(f"--model.model_name={path}").model.model_name == path


def test_values_of_other_kinds() -> None:
    config = settings(
        "--generation.stop_strings", '["a", "b"]', "--generation.seed", "-1",
        "--model.adapter_model", "null", "--remote_params.api_key", "123",
        "--model.model_kwargs.some-name", "3", "--overwrite", "--engine", "llamacpp",
    )  # fmt: skip
    assert config.generation.stop_strings == ["a", "b"]
    assert config.generation.seed == -1
    assert config.model.adapter_model is None
    assert config.remote_params.api_key.get_secret_value() == "123"
    assert config.model.model_kwargs == {"some-name": 3}
    assert config.overwrite is True
    assert config.engine == "LLAMACPP"


@pytest.mark.parametrize("args", [("--overwrite",), ("--overwrite", "true"), ("--overwrite=true",)])
def test_switch(args: tuple[str, ...]) -> None:
    assert settings(*args, "--generation.seed", "1").overwrite is True


def test_own_options_and_arguments_are_left() -> None:
    args = ["-c", "x.yaml", "--generation.seed", "1", "--quiet", "--config=y", "file"]
    overrides, rest = split(args, OWN)
    assert overrides == [("generation.seed", "1")]
    assert rest == ["-c", "x.yaml", "--quiet", "--config=y", "file"]


def test_without_a_value() -> None:
    with pytest.raises(click.UsageError, match="needs a value"):
        split(["--generation.seed", "--quiet"], OWN)
    with pytest.raises(click.UsageError, match="Did you mean --quiet"):
        split(["--quite"], OWN)


def test_keys_are_masked() -> None:
    args = ["--remote_params.api_key", "sk-1", "--remote_params.api-key=sk-2", "--quiet"]
    masked = ["--remote_params.api_key", "***", "--remote_params.api-key=***", "--quiet"]
    assert mask_keys(args) == masked
