"""LoRA adapters: whether all of their weights found their place in the model."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError, ModelNotFoundError

# Before the name of a module in an adapter's file, as PEFT writes it.
_PREFIX = "base_model.model."


def check_adapter_name(config: InferenceConfig) -> None:
    """Raise ConfigError for an adapter that the model was not loaded with."""
    name, known = config.generation.adapter, config.model.adapters
    if name is not None and name not in known:
        hint = did_you_mean(name, known, before="; ")
        listed = hint or f"; there are {', '.join(known) or 'none'}"
        raise ConfigError(f"generation.adapter: {name!r} is none of model.adapters{listed}")


def adapters_of(model: ModelParams) -> list[str]:
    """Where all adapters of a model lie; that of every row first."""
    return [*([model.adapter_model] if model.adapter_model else []), *model.adapters.values()]


def check_adapter(adapter: str, *, unknown: Collection[str], missing: Collection[str]) -> None:
    """Raise ModelNotFoundError where an adapter and its model do not belong together.

    `unknown` are its weights that the model has no place for, `missing` places without weights.
    """
    if unknown:
        raise ModelNotFoundError(
            f"{adapter}: {len(unknown)} of the adapter's weights belong to no module of this "
            f"model, such as {min(unknown)}: it was made for another one"
        )
    if missing:
        raise ModelNotFoundError(
            f"{adapter}: the adapter lacks {len(missing)} weights, such as {min(missing)}: its "
            "file is cut off, or was made for another model"
        )


def unknown_weights(adapter: Path, model: Path) -> list[str]:
    """The weights of an adapter's folder that belong to none of the weights in a model's folder.

    None are found where names do not tell: of files that are not there, and where no name fits,
    because some models have other names in memory than in their files.
    """
    known = {name.rpartition(".")[0] for name in _weight_names(model, "*.safetensors")}
    names = list(_weight_names(adapter, "adapter_model.safetensors"))
    modules = {name: name.removeprefix(_PREFIX).partition(".lora_")[0] for name in names}
    unknown = [name for name in names if ".lora_" in name and modules[name] not in known]
    return unknown if len(unknown) < len(names) else []


def _weight_names(folder: Path, pattern: str) -> Iterator[str]:
    """The names in the files' headers.

    Format: https://github.com/huggingface/safetensors#format
    """
    for path in sorted(folder.glob(pattern)):
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            yield from json.loads(file.read(length)).keys() - {"__metadata__"}
