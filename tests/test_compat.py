"""The module paths that users of the upstream library import from."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from oumi.compat.modules import MODULES
from oumi.core.types import Message, Role
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

SCRIPT = """
from oumi.builders.inference_engines import ENGINE_MAP, build_inference_engine
from oumi.core.configs.inference_engine_type import InferenceEngineType
from oumi.core.configs.params.generation_params import GenerationParams
from oumi.core.configs.params.model_params import ModelParams
from oumi.core.configs.params.remote_params import RemoteParams
from oumi.core.inference import BaseInferenceEngine
from oumi.exceptions import OumiConfigError
from oumi.inference import *
from oumi.inference import HuggingFaceRouterInferenceEngine
from oumi.inference.openai_inference_engine import OpenAIInferenceEngine as ByPath
from oumi.inference.remote_inference_engine import BatchStatus
from oumi.utils.io_utils import load_jsonlines, save_jsonlines
from oumi.utils.logging import logger

assert ByPath is OpenAIInferenceEngine
assert ENGINE_MAP[InferenceEngineType.OPENAI] is OpenAIInferenceEngine
assert issubclass(HuggingFaceRouterInferenceEngine, BaseInferenceEngine)
assert BatchStatus.COMPLETED.value == "completed"
import oumi.infer
from oumi.infer import get_engine, infer
assert callable(oumi.infer)
print("all there")
"""


@pytest.mark.parametrize("name", MODULES)
def test_each_path_gives_what_it_names(name: str):
    module = importlib.import_module(name)
    assert set(dir(module)) >= MODULES[name].keys()
    for public in MODULES[name]:
        assert getattr(module, public) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_this_name'"):
        getattr(module, "nothing_of_this_name")  # noqa: B009


def test_no_real_module_is_hidden():
    package = Path(importlib.import_module("oumi").__file__).parent
    for name in MODULES:
        path = package.parent / Path(*name.split("."))
        assert not path.with_suffix(".py").exists()
        assert not (path / "__init__.py").exists()


def test_imports_as_users_write_them():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("all there\n", 0), done.stderr


def test_an_engine_by_its_type(server: FaultServer):
    build = importlib.import_module("oumi.builders").build_inference_engine
    configs = importlib.import_module("oumi.core.configs.params")
    engine = build(
        "REMOTE",
        model_params=configs.ModelParams(model_name="m"),
        remote_params=configs.RemoteParams(api_url=server.api_url),
    )
    with engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]


def test_messages_as_dicts():
    to_dicts = importlib.import_module(
        "oumi.utils.conversation_utils"
    ).create_list_of_message_json_dicts
    messages = [Message(role=Role.USER, content=text) for text in ("a", "b")]
    assert to_dicts(messages, group_adjacent_same_role_turns=False) == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    parts = [{"type": "text", "text": text} for text in ("a", "b")]
    assert to_dicts(messages, group_adjacent_same_role_turns=True) == [
        {"role": "user", "content": parts}
    ]


def test_files_are_read_as_they_were_written(tmp_path: Path):
    io = importlib.import_module("oumi.utils.io_utils")
    rows = [{"a": "line\u2028separator"}, {"b": [1, None]}]
    io.save_jsonlines(tmp_path / "rows.jsonl", rows)
    assert io.load_jsonlines(tmp_path / "rows.jsonl") == rows
    io.save_json(rows, tmp_path / "rows.json")
    assert io.load_json(tmp_path / "rows.json") == rows
