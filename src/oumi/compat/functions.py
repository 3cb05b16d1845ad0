"""Functions that the upstream library has and this one does not need itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from oumi.backends.chat_templates.reading import read_template
from oumi.backends.registry import find_engine
from oumi.core.configs import (
    GenerationParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.inference import InferenceEngine, build_engine
from oumi.inference.build import load_class


class _EngineMap(Mapping[InferenceEngineType, type[InferenceEngine]]):
    """The class of each engine. Only the one that is asked for is loaded."""

    def __getitem__(self, engine: InferenceEngineType) -> type[InferenceEngine]:
        return load_class(find_engine(engine))

    def __iter__(self) -> Iterator[InferenceEngineType]:
        return iter(InferenceEngineType)

    def __len__(self) -> int:
        return len(InferenceEngineType)


ENGINE_MAP = _EngineMap()


def build_inference_engine(
    engine_type: InferenceEngineType | str,
    model_params: ModelParams,
    remote_params: RemoteParams | None = None,
    generation_params: GenerationParams | None = None,
) -> InferenceEngine:
    """An engine by its type. Raises ConfigError for a name that no engine has."""
    return build_engine(
        InferenceConfig(
            engine=engine_type,
            model=model_params,
            generation=generation_params or GenerationParams(),
            remote_params=remote_params,
        )
    )


def build_chat_template(template_name: str) -> str:
    """The text of a chat template of this package. Raises ConfigError for an unknown name."""
    return read_template(template_name) or ""


def get_oumi_version() -> str:
    """The version of this package."""
    return version("oumi-infer")


def get_logger(name: str, level: str = "info", log_dir: str | Path | None = None) -> logging.Logger:
    """A logger with a level, and with a file of its name in a folder where one is given.

    One that has a level keeps it.
    """
    found = logging.getLogger(name)
    if found.level == logging.NOTSET:
        found.setLevel(level.upper())
        if log_dir is not None:
            Path(log_dir).mkdir(parents=True, exist_ok=True)
            found.addHandler(logging.FileHandler(Path(log_dir) / f"{name}.log"))
    return found


def update_logger_level(name: str, level: str = "info") -> None:
    """Set the level of a logger and of its handlers."""
    found = logging.getLogger(name)
    found.setLevel(level.upper())
    for handler in found.handlers:
        handler.setLevel(level.upper())


def load_file(filename: str | Path, encoding: str = "utf-8") -> str:
    """The text of a file."""
    return Path(filename).read_text(encoding)


def load_json(filename: str | Path) -> Any:
    """The value of a JSON file."""
    return json.loads(load_file(filename))


def save_json(data: Any, filename: str | Path, indent: int = 2) -> None:
    """Write a value to a JSON file."""
    Path(filename).write_text(json.dumps(data, indent=indent), "utf-8")


def load_jsonlines(filename: str | Path) -> list[dict[str, Any]]:
    """The values of a JSONL file; empty lines are passed over."""
    return [json.loads(line) for line in load_file(filename).split("\n") if line.strip()]


def save_jsonlines(filename: str | Path, data: Sequence[Mapping[str, Any]]) -> None:
    """Write values to a JSONL file, one a line."""
    Path(filename).write_text("".join(json.dumps(value) + "\n" for value in data), "utf-8")
