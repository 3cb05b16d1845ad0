"""Settings as an engine takes them: what has another name or form here is written out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from oumi.backends.chat_templates.reading import with_template_text
from oumi.backends.engine_row import EngineRow
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.errors import ConfigError

_ADAPTER_FILE = "adapter_config.json"
"""https://huggingface.co/docs/peft/developer_guides/checkpoint"""

# Arguments by which a model is loaded on a machine. An API would be sent them as fields of a body.
_LOADERS = frozenset(
    {
        *("filename", "gpu_memory_utilization", "load_in_4bit", "load_in_8bit", "max_model_len"),
        *("n_batch", "n_ctx", "n_gpu_layers", "n_threads", "quantization", "quantization_config"),
        *("tensor_parallel_size", "use_mlock", "use_mmap"),
    }
)


def with_effective_model(row: EngineRow, config: InferenceConfig) -> InferenceConfig:
    """The settings with those of their model as the engine takes them: the chat template is text,
    `model_kwargs` that mean a setting are that setting, and a folder that holds a LoRA adapter is
    named as one. Raises ConfigError.
    """
    config = with_template_text(config)
    model = _with_settings_of_kwargs(config.model, row.settings_in_kwargs)
    if row.provider is None:
        model = _with_adapter(model)
    else:
        _check_no_loaders(row, model)
    return config if model is config.model else config.model_copy(update={"model": model})


def with_effective_sampling(config: InferenceConfig) -> InferenceConfig:
    """The settings with `top_p: 0`, of which no token is left, as the likeliest token always."""
    if config.generation.top_p != 0:
        return config
    greedy = config.generation.model_copy(update={"top_p": None, "temperature": 0.0})
    return config.model_copy(update={"generation": greedy})


def _with_settings_of_kwargs(model: ModelParams, names: Mapping[str, str]) -> ModelParams:
    moved = {name: value for name, value in model.model_kwargs.items() if name in names}
    if not moved:
        return model
    rest = {name: value for name, value in model.model_kwargs.items() if name not in moved}
    changes: dict[str, Any] = {"model_kwargs": rest}
    for name, value in moved.items():
        changes[names[name]] = _as_setting(model, name, names[name], value)
    return model.model_copy(update=changes)


def _as_setting(model: ModelParams, name: str, setting: str, value: Any) -> Any:
    """The value of a keyword argument as that of a setting. Raises ConfigError."""
    try:
        taken = getattr(ModelParams(**{setting: value}), setting)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise ConfigError(f"model.model_kwargs.{name}: {reason} (given: {value!r:.80})") from None
    given = getattr(model, setting)
    if setting in model.changed_fields() and given != taken:
        raise ConfigError(
            f"model.model_kwargs.{name}: {value!r:.80} is another value than the {given!r:.80} of "
            f"model.{setting}, which means the same; leave one of them out"
        )
    return taken


def _with_adapter(model: ModelParams) -> ModelParams:
    """The model with a folder in `model_name` that holds an adapter named as the adapter. Without
    a model of its own in there, the model is the one that the adapter was made for.
    """
    folder = Path(model.model_name).expanduser()
    if model.adapter_model is not None or not (folder / _ADAPTER_FILE).is_file():
        return model
    changes = {"adapter_model": model.model_name}
    if not (folder / "config.json").is_file():
        changes["model_name"] = _base_of(folder / _ADAPTER_FILE)
    return model.model_copy(update=changes)


def _base_of(file: Path) -> str:
    try:
        name = json.loads(file.read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{file}: names no base_model_name_or_path ({error!r})"
        raise ConfigError(
            f"{reason}; name the model in model_name and this folder in adapter_model"
        ) from error
    return str(name)


def _check_no_loaders(row: EngineRow, model: ModelParams) -> None:
    for name in sorted(_LOADERS & model.model_kwargs.keys()):
        raise ConfigError(
            f"model.model_kwargs.{name}: {row.name} loads no model, and would send this as a field "
            "of each request; it is for LLAMACPP, NATIVE or VLLM"
        )
