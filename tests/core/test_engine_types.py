"""Settings files of users load for every engine, and name its class."""

from __future__ import annotations

from pathlib import Path

import pytest

import oumi.inference
from oumi.backends.registry import engine_rows, find_engine
from oumi.backends.remote.providers import PROVIDERS
from oumi.core.configs import InferenceConfig, InferenceEngineType
from oumi.inference import build_engine

# The form of the files that users of this API have: comments, a few groups, the engine's name.
FILE = """\
# Inference config.
#
# Usage:
#   oumi infer -i -c infer.yaml

model:
  model_name: "{model}"
  model_max_length: 8192
  torch_dtype_str: "bfloat16"
  attn_implementation: "sdpa"
  trust_remote_code: True

generation:
  max_new_tokens: 8192
  temperature: 1.0
  top_p: 0.9
  batch_size: 1

remote_params:
  num_workers: 10
  politeness_policy: 60.0
  max_retries: 3
  connection_timeout: 300.0

engine: {engine}
"""

CLASSES = {
    **{row.name: row.class_name for row in engine_rows()},
    **{alias: row.class_name for row in PROVIDERS for alias in row.aliases},
}
"""The class of each name that a file may have."""


def load(folder: Path, engine: str, model: str = "some-model") -> InferenceConfig:
    file = folder / "infer.yaml"
    file.write_text(FILE.format(engine=engine, model=model))
    return InferenceConfig.from_yaml(file)


@pytest.mark.parametrize(("name", "class_name"), CLASSES.items())
def test_a_users_file_names_the_engine(tmp_path: Path, name: str, class_name: str):
    row = find_engine(load(tmp_path, name).engine)
    assert row.class_name == class_name
    assert class_name in oumi.inference.__all__


def test_every_row_is_a_member_and_has_a_class_of_its_own():
    rows = engine_rows()
    assert {row.name for row in rows} == set(InferenceEngineType.__members__)
    for row in rows:
        same = [other.name for other in rows if other.class_name == row.class_name]
        assert same == [row.name], f"{same} need a `class_name` each"


def test_names_of_old_files_are_kept(tmp_path: Path):
    assert load(tmp_path, "gemini").engine is InferenceEngineType.GOOGLE_GEMINI
    assert load(tmp_path, "HUGGING_FACE").engine is InferenceEngineType.HUGGING_FACE_ROUTER


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_a_users_file_makes_the_engine(tmp_path: Path, row, monkeypatch):
    for name in row.key_env[:1]:
        monkeypatch.setenv(name, "key-of-the-user")
    for names in row.url_parts.values():
        monkeypatch.setenv(names[0], "eu-central-1")
    if row.url is None:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    config = load(tmp_path, row.name)
    if row.url is None and row.url_env is None:
        remote = config.remote_params.model_copy(update={"api_url": "localhost:1"})
        config = config.model_copy(update={"remote_params": remote})
    with build_engine(config) as engine:
        assert type(engine).__name__ == row.class_name
        assert "key-of-the-user" not in repr(vars(engine))
