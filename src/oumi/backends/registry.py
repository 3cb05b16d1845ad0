"""The engines: one row each, with what it needs and what it can honour."""

from __future__ import annotations

import importlib

from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.remote.providers import PROVIDERS
from oumi.core.configs import (
    EMBEDDED_MODEL,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
)
from oumi.core.logs import warn_once
from oumi.errors import MissingDependencyError, UnsupportedError

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
    backend="oumi.backends.local.llama_cpp.backend:LlamaCppBackend",
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
    backend="oumi.backends.local.native.backend:NativeBackend",
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
    backend="oumi.backends.local.vllm.backend:VLLMBackend",
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
        backend="oumi.backends.remote.backend:RemoteBackend",
        summary=provider.summary,
        runtime="wreq",
        install=f"pip install 'oumi-infer[{provider.extra}]'"
        if provider.extra
        else "pip install oumi-infer",
        supports=provider.supports,
        ignores=provider.ignores,
        provider=provider,
    )
    for provider in PROVIDERS
)

ROWS: dict[InferenceEngineType, EngineRow] = {
    row.engine: row for row in (_LLAMACPP, _NATIVE, _VLLM, *_REMOTE)
}


def find_engine(name: str) -> EngineRow:
    """The row of an engine."""
    return ROWS[InferenceEngineType(name)]


def engine_for(config: InferenceConfig) -> EngineRow:
    """The row of the engine that the settings name, or that suits their model."""
    return ROWS[config.engine or _engine_for(config.model)]


def load_backend(row: EngineRow) -> type[Backend]:
    """The class of an engine's backend. Raises MissingDependencyError."""
    require_runtime(row)
    module, _, name = row.backend.partition(":")
    found: type[Backend] = getattr(importlib.import_module(module), name)
    return found


def require_runtime(row: EngineRow) -> None:
    """Raise MissingDependencyError unless the package that an engine needs is installed."""
    if not row.is_installed():
        raise MissingDependencyError(
            f"{row.engine} needs {row.runtime}, which is not installed: {row.install}"
        )


def build_backend(config: InferenceConfig) -> Backend:
    """The backend that the settings name, loaded with their model."""
    row = engine_for(config)
    check_settings(row, config)
    return load_backend(row)(row, config)


def check_settings(row: EngineRow, config: InferenceConfig) -> None:
    """Raise UnsupportedError for the first setting that the engine cannot honour."""
    settings = _changed(config)
    for name in sorted(settings - row.supports - row.ignores):
        able = [str(other.engine) for other in ROWS.values() if name in other.supports]
        hint = f"engines that can: {', '.join(able)}" if able else "no engine here can"
        raise UnsupportedError(f"{row.engine} cannot honour {name}; {hint}")
    remote = config.remote_params
    is_local = row.provider is None
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
