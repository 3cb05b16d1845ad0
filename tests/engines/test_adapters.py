"""Adapters of which nothing, or not everything, belongs to the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from oumi.core.configs import ModelParams
from oumi.errors import ModelNotFoundError
from tests.engines.adapters import write_adapter
from tests.engines.conftest import vllm_params

OTHER_NAMES = {"inside": "model.language_model"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            OTHER_NAMES,
            "16 of the adapter's weights belong to no module of this model, such as base",
        ),
        (
            {"misplaced": 1},
            r"4 of the adapter's weights belong to no module .*layers\.4\.self_attn",
        ),
        ({"lost": 3}, r"the adapter lacks 3 weights, such as .*layers\.0\.self_attn\.q_proj"),
    ],
)
def test_native(tmp_path: Path, change: dict, reason: str):
    pytest.importorskip("peft")
    from oumi.inference import NativeTextInferenceEngine

    adapter = write_adapter(tmp_path / "other", **change)
    with pytest.raises(ModelNotFoundError, match=reason):
        NativeTextInferenceEngine(ModelParams(adapter_model=str(adapter)))


def test_vllm_finds_names_that_fit_in_part_before_it_loads(tmp_path: Path):
    pytest.importorskip("vllm")
    from oumi.inference import VLLMInferenceEngine

    adapter = write_adapter(tmp_path / "other", misplaced=1)
    with pytest.raises(ModelNotFoundError, match="4 of the adapter's weights belong to no module"):
        VLLMInferenceEngine(vllm_params(adapter_model=str(adapter)))


def test_vllm_finds_an_adapter_that_changes_nothing(tmp_path: Path, vllm_environment: None):
    pytest.importorskip("vllm")
    from oumi.inference import VLLMInferenceEngine

    adapter = write_adapter(tmp_path / "other", **OTHER_NAMES)
    with pytest.raises(ModelNotFoundError, match="the adapter changes nothing"):
        VLLMInferenceEngine(vllm_params(adapter_model=str(adapter)))
