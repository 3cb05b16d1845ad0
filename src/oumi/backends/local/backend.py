"""What the engines share whose model runs on this machine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from oumi.backends.local.model_files import find_folders, fingerprint
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError
from oumi.inference.engine import InferenceEngine


class LocalInferenceEngine(InferenceEngine):
    """Holds one model, loaded when the engine is made, with one set of model settings."""

    scheduling: ClassVar[frozenset[str]] = frozenset()
    """Names in `model_kwargs` that say how fast an answer comes and where, not what it is."""

    def __init__(
        self,
        model_params: ModelParams | None = None,
        *,
        generation_params: GenerationParams | None = None,
        remote_params: RemoteParams | None = None,
    ):
        super().__init__(
            model_params, generation_params=generation_params, remote_params=remote_params
        )
        self._load()
        self._fingerprint = fingerprint(self._model_files())

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """The engine, the model's settings but for those that only schedule, and its files."""
        kwargs = config.model.model_kwargs.items()
        shaping = {name: value for name, value in kwargs if name not in self.scheduling}
        model = config.model.model_copy(update={"model_kwargs": shaping})
        return {
            "engine": self.name,
            "model": model.model_dump(mode="json"),
            "files": self._fingerprint,
        }

    @abstractmethod
    def _load(self) -> None:
        """Load the model that the settings name."""

    def _model_files(self) -> Sequence[Path]:
        """Files and folders that hold the model, as far as they lie on this machine."""
        return find_folders(self._config.model)

    def _check(self, config: InferenceConfig) -> None:
        super()._check(config)
        if config.model != self._config.model:
            raise ConfigError(
                f"this engine holds {self._config.model.model_name!r} with its own model settings; "
                "make another engine for others"
            )
