"""Every setting of every class, for each engine on this machine: refused, ignored, or used."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

import oumi.backends.local
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.llama_cpp.body import encode
from oumi.backends.local.llama_cpp.params import make_params
from oumi.backends.registry import check_settings, own_rows
from oumi.core.configs import InferenceConfig
from oumi.errors import UnsupportedError
from oumi.models import TINY_GGUF
from oumi.runner.request import Request
from tests.conftest import ask
from tests.inference.test_llama_cpp import write_adapter
from tests.remote.talks import TOOL
from tests.setting_values import VALUES, config_of

LOCAL = [row for row in own_rows() if row.provider is None]
ROW = next(row for row in LOCAL if row.name == "LLAMACPP")


@pytest.fixture(params=LOCAL, ids=lambda row: row.name)
def row(request: pytest.FixtureRequest) -> EngineRow:
    return request.param


def settings_module(row: EngineRow) -> Any:
    return importlib.import_module(row.backend.rpartition(".")[0] + ".settings")


def test_supports_is_what_the_maps_hold(row: EngineRow):
    assert row.supports == settings_module(row).SETTINGS
    assert row.supports <= VALUES.keys()
    assert not row.supports & row.ignores


def test_settings_that_no_map_holds_are_read_in_the_modules_of_the_backend(row: EngineRow):
    shared = Path(oumi.backends.local.__file__).parent
    own = shared / row.backend.split(".")[-2]
    trees = [ast.parse(file.read_text()) for file in (*shared.glob("*.py"), *own.glob("*.py"))]
    read = {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }
    for setting in settings_module(row).READ_BY_BACKEND:
        *_, group, name = setting.split(".")
        assert name in read or group in read, f"{row.name} never reads {setting}"


def sent(config: InferenceConfig) -> Any:
    """The body of a request, with tools where that is allowed, and the parameters of the model."""
    tools = None if config.generation.guided_decoding else [TOOL]
    params = make_params(config.model, "key")
    values = {name: getattr(params, name) for name in dir(params) if not name.startswith("_")}
    facts = {name: value for name, value in values.items() if isinstance(value, int | float | str)}
    adapters = [adapter.path for adapter in params.lora_adapters]
    body = encode(Request(ask("Hi", tools=tools), config))
    return body, {**facts, "lora_adapters": adapters, "model": params.model.path}


@pytest.mark.parametrize("setting", sorted(VALUES.keys() - {"model.model_revision"}))
def test_llama_cpp_is_sent_what_it_supports(setting: str, tmp_path: Path):
    copy = tmp_path / "copy.gguf"
    copy.symlink_to(TINY_GGUF)
    adapter = tmp_path / "adapter.gguf"
    if "adapter" in setting:
        write_adapter(adapter)
    values = {
        **VALUES,
        "model.model_name": str(copy),
        "model.adapter_model": str(adapter),
        "model.adapters": {"one": str(adapter)},
        "model.model_kwargs": {"n_batch": 99},
    }
    plain: dict[str, Any] = {}
    if setting.startswith("generation.guided_decoding"):
        plain = {"generation.guided_decoding.choice": ["white", "black"]}
    needed: dict[str, Any] = {}
    if setting == "generation.adapter":
        needed = plain = {"model.adapters": values["model.adapters"]}
    changed = config_of({**needed, setting: values[setting]})
    try:
        check_settings(ROW, changed)
    except UnsupportedError:
        return
    passes_by = ROW.ignores | settings_module(ROW).READ_BY_BACKEND
    assert (sent(changed) == sent(config_of(plain))) is (setting in passes_by), setting
