"""Every setting that a heavy engine supports changes the arguments of its runtime.

Those that our own modules use, not the runtime, have tests of what they do.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest

from oumi.backends.registry import find_engine
from oumi.core.configs import InferenceConfig
from tests.setting_values import VALUES, config_of


def supported(engine: str, module: str) -> list[str]:
    settings = importlib.import_module(f"oumi.backends.local.{module}.settings")
    return sorted(find_engine(engine).supports - settings.READ_BY_BACKEND)


@pytest.mark.skipif(not importlib.util.find_spec("vllm"), reason="vLLM is not installed")
@pytest.mark.parametrize("setting", supported("VLLM", "vllm"))
def test_vllm(setting: str):
    from oumi.backends.local.vllm.arguments import engine_args
    from oumi.backends.local.vllm.sampling import sampling_params

    def sent(config: InferenceConfig) -> Any:
        return engine_args(config.model), sampling_params(config.generation)

    values = {**VALUES, "model.model_kwargs": {"max_num_seqs": 99}}
    plain = {"generation.temperature": 1.0}  # at 0, vLLM drops what else shapes a sample
    assert sent(config_of({**plain, setting: values[setting]})) != sent(config_of(plain))


@pytest.mark.skipif(not importlib.util.find_spec("transformers"), reason="no Transformers here")
@pytest.mark.parametrize("setting", supported("NATIVE", "native"))
def test_native(setting: str):
    from oumi.backends.local.native.arguments import loading_args
    from oumi.backends.local.native.loading import _hub_args
    from oumi.backends.local.native.settings import PROCESSOR, TOKENIZER

    def sent(config: InferenceConfig) -> Any:
        model = config.model
        further = (_hub_args(model), TOKENIZER.encode(config), PROCESSOR.encode(config))
        return {**loading_args(model), "device_map": model.device_map}, further

    assert sent(config_of({setting: VALUES[setting]})) != sent(config_of({}))
