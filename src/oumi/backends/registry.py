"""The engines: one row each, with what it needs and what it can honour."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oumi.backends.remote.providers import PROVIDERS
from oumi.core.configs import (
    EMBEDDED_MODEL,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
)
from oumi.core.logs import warn_once
from oumi.errors import MissingDependencyError, UnsupportedError

if TYPE_CHECKING:
    from oumi.inference.engine import InferenceEngine


@dataclass(frozen=True)
class EngineRow:
    """Facts about an engine. Settings are dotted names such as `generation.top_k`."""

    engine: InferenceEngineType
    class_name: str
    module: str
    summary: str
    runtime: str
    """The package that has to be importable."""
    install: str
    """How to get it."""
    supports: frozenset[str]
    """Settings it can honour."""
    ignores: frozenset[str] = frozenset()
    """Settings that its model files decide themselves; named in a warning, not refused."""

    def is_installed(self) -> bool:
        """Whether the runtime is importable here; it is not imported."""
        return importlib.util.find_spec(self.runtime) is not None

    def load_class(self) -> type[InferenceEngine]:
        """The engine's class. Raises MissingDependencyError."""
        if not self.is_installed():
            raise MissingDependencyError(
                f"{self.engine} needs {self.runtime}, which is not installed: {self.install}"
            )
        found: type[InferenceEngine] = getattr(
            importlib.import_module(self.module), self.class_name
        )
        return found


_LOCAL = frozenset(
    {
        "model.model_name",
        "model.adapter_model",
        "model.model_max_length",
        "model.chat_template",
        "model.chat_template_kwargs",
        "model.model_revision",
        "model.model_kwargs",
        "generation.max_new_tokens",
        "generation.batch_size",
        "generation.seed",
        "generation.temperature",
        "generation.top_p",
        "generation.top_k",
        "generation.min_p",
        "generation.frequency_penalty",
        "generation.presence_penalty",
        "generation.stop_strings",
        "generation.logit_bias",
        "generation.guided_decoding.json",
        "generation.guided_decoding.regex",
        "generation.guided_decoding.choice",
        "generation.guided_decoding.grammar",
    }
)
"""Settings that all engines on this machine can honour."""

_FOR_LOCAL_ENGINES = {"batch_completion_window"}
"""What of remote_params concerns engines on this machine."""

_LLAMACPP = EngineRow(
    engine=InferenceEngineType.LLAMACPP,
    class_name="LlamaCppInferenceEngine",
    module="oumi.backends.local.llama_cpp",
    summary="llama.cpp on this machine, for GGUF files",
    runtime="xllamacpp",
    install="pip install oumi-infer",
    supports=_LOCAL
    | {
        "model.device_map",
        "generation.tool_choice",
        "generation.parallel_tool_calls",
        "generation.logprobs",
    },
    ignores=frozenset(
        {
            "model.torch_dtype",
            "model.tokenizer_name",
            "model.trust_remote_code",
            "model.attn_implementation",
        }
    ),
)

_NATIVE = EngineRow(
    engine=InferenceEngineType.NATIVE,
    class_name="NativeTextInferenceEngine",
    module="oumi.backends.local.native",
    summary="Transformers on this machine, for any text or vision model of the hub",
    runtime="transformers",
    install="pip install 'oumi-infer[native]'",
    supports=_LOCAL
    | {
        "model.tokenizer_name",
        "model.tokenizer_kwargs",
        "model.tokenizer_pad_token",
        "model.torch_dtype",
        "model.device_map",
        "model.trust_remote_code",
        "model.attn_implementation",
        "model.processor_kwargs",
        "generation.stop_token_ids",
        "generation.num_beams",
        "generation.logprobs",
        "generation.tool_choice",
        "generation.parallel_tool_calls",
        "generation.skip_special_tokens",
    },
)

_VLLM = EngineRow(
    engine=InferenceEngineType.VLLM,
    class_name="VLLMInferenceEngine",
    module="oumi.backends.local.vllm",
    summary="vLLM on this machine, for any model that it serves",
    runtime="vllm",
    install="pip install 'oumi-infer[vllm]' (on a CPU: scripts/make_vllm_env.sh)",
    supports=_LOCAL
    | {
        "model.processor_kwargs",
        "model.tokenizer_name",
        "model.tool_call_parser",
        "model.torch_dtype",
        "model.trust_remote_code",
        "generation.logprobs",
        "generation.parallel_tool_calls",
        "generation.skip_special_tokens",
        "generation.stop_token_ids",
        "generation.tool_choice",
    },
    ignores=frozenset({"model.device_map", "model.attn_implementation"}),
)

_REMOTE = tuple(
    EngineRow(
        engine=provider.engine,
        class_name=provider.class_name,
        module="oumi.inference.engines",
        summary=provider.summary,
        runtime="wreq",
        install=f"pip install 'oumi-infer[{provider.extra}]'"
        if provider.extra
        else "pip install oumi-infer",
        supports=provider.supports,
        ignores=provider.ignores,
    )
    for provider in PROVIDERS
)

ROWS: dict[InferenceEngineType, EngineRow] = {
    row.engine: row for row in (_LLAMACPP, _NATIVE, _VLLM, *_REMOTE)
}


def build_engine(config: InferenceConfig) -> InferenceEngine:
    """The engine that the settings name, loaded with their model."""
    row = ROWS[config.engine or _engine_for(config.model)]
    return row.load_class()(
        config.model,
        generation_params=config.generation,
        remote_params=config.remote_params,
    )


def check_settings(row: EngineRow, config: InferenceConfig) -> None:
    """Raise UnsupportedError for the first setting that the engine cannot honour."""
    settings = _changed(config)
    for name in sorted(settings - row.supports - row.ignores):
        able = [str(other.engine) for other in ROWS.values() if name in other.supports]
        hint = f"engines that can: {', '.join(able)}" if able else "no engine here can"
        raise UnsupportedError(f"{row.engine} cannot honour {name}; {hint}")
    remote = config.remote_params
    is_local = row.module.startswith("oumi.backends.local")
    if is_local and remote is not None and remote.model_fields_set - _FOR_LOCAL_ENGINES:
        warn_once(f"{row.engine}: remote_params are without effect")
    ignores = sorted(settings & row.ignores)
    if ignores:
        warn_once(f"{row.engine}: decided by the model's file or the server: {', '.join(ignores)}")


def _changed(config: InferenceConfig) -> set[str]:
    names = {f"model.{name}" for name in config.model.changed_fields()}
    names |= {f"generation.{name}" for name in config.generation.changed_fields()}
    if config.generation.guided_decoding is not None:
        names.discard("generation.guided_decoding")
        form = config.generation.guided_decoding.form
        names.add(f"generation.guided_decoding.{form}")
    return names


def _engine_for(model: ModelParams) -> InferenceEngineType:
    if model.model_name == EMBEDDED_MODEL or ".gguf" in model.model_name.lower():
        return InferenceEngineType.LLAMACPP
    return InferenceEngineType.NATIVE
