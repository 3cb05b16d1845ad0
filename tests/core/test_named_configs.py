"""Configs by name and by `oumi://` paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from oumi.backends.engine_choice import engine_for
from oumi.backends.registry import effective_settings
from oumi.core.configs import InferenceConfig
from oumi.core.configs.named import _PATHS, config_names, find_config
from oumi.errors import ConfigError

LLAMA = "configs/recipes/llama3_1/inference/8b_infer.yaml"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", config_names())
def test_each_is_accepted_by_the_engine_that_it_names(name: str):
    config = InferenceConfig.from_yaml(name)
    assert config.engine is not None
    assert not config.model.trust_remote_code
    effective_settings(engine_for(config), config)


def test_each_path_leads_to_a_name():
    assert set(_PATHS.values()) <= set(config_names())


@pytest.mark.parametrize(
    "given", ["llama3.1-8b", "Llama3.1-8B", "oumi://llama3.1-8b", f"OUMI://{LLAMA}", LLAMA]
)
def test_one_config_by_name_and_by_path(given: str):
    config = InferenceConfig.from_yaml(given, [("generation.max_new_tokens", "7")])
    assert config.model.model_name == "meta-llama/Llama-3.1-8B-Instruct"
    assert config.generation.max_new_tokens == 7


def test_files_of_the_user_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    downloaded = tmp_path / "downloaded" / LLAMA
    downloaded.parent.mkdir(parents=True)
    downloaded.write_text("model: {model_name: mine}")
    monkeypatch.setenv("OUMI_DIR", str(tmp_path / "downloaded"))
    assert find_config(f"oumi://{LLAMA}") == downloaded
    assert InferenceConfig.from_yaml("llama3.1-8b").model.model_name.startswith("meta-llama")
    Path("llama3.1-8b").write_text("model: {model_name: here}")
    assert InferenceConfig.from_yaml("llama3.1-8b").model.model_name == "here"
    folder = Path("configs/mine.yaml")
    folder.parent.mkdir()
    folder.write_text("{}")
    assert find_config("oumi://configs/mine.yaml") == folder


def test_the_usual_folder_of_downloads(tmp_path: Path):
    file = Path.home() / ".oumi/fetch/configs/a.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    assert find_config("oumi://configs/a.yaml") == file


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("llama3.1-8", r"did you mean 'llama3\.1-8b'\? `oumi infer --list`"),
        ("oumi://configs/apis/openai/infer_gpt_4o_.yaml", "'gpt-4o'.*OUMI_DIR.*nothing is down"),
        ("oumi://../secret.yaml", "a path below a folder"),
        ("oumi://", "a path below a folder"),
        ("no/such.yaml", r"no/such\.yaml: cannot be read"),
        ("none.yaml", r"none\.yaml: cannot be read"),
        ("no/such", r"no/such: cannot be read"),
    ],
)
def test_what_there_is_not(given: str, reason: str):
    with pytest.raises(ConfigError, match=reason):
        InferenceConfig.from_yaml(given)
