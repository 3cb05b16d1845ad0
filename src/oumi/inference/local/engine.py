"""What the engines share whose model runs on this machine."""

from __future__ import annotations

from abc import abstractmethod

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError
from oumi.inference.engine import InferenceEngine


class LocalInferenceEngine(InferenceEngine):
    """Holds one model, loaded when the engine is made, with one set of model settings."""

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

    @abstractmethod
    def _load(self) -> None:
        """Load the model that the settings name."""

    def _check(self, config: InferenceConfig) -> None:
        super()._check(config)
        if config.model != self._config.model:
            raise ConfigError(
                f"this engine holds {self._config.model.model_name!r} with its own model settings; "
                "make another engine for others"
            )
