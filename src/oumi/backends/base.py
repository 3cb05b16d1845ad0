"""What every backend is: a loaded model or a reachable API that answers through sessions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from oumi.backends.engine_row import EngineRow
from oumi.core.configs.inference_config import InferenceConfig
from oumi.errors import UnsupportedError
from oumi.runner.session import Session


class Backend(ABC):
    """Holds what is costly to make: a model in memory, or connections to an API.

    `config` holds the settings that it was made with. Safe to use from several threads.
    """

    def __init__(self, row: EngineRow, config: InferenceConfig):
        self.row = row
        self.config = config
        self.check(config)

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.row.name

    @abstractmethod
    def session(self, config: InferenceConfig) -> Session:
        """All that a run needs under these settings, which have been checked. Made once a run."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held. Closing twice is fine."""

    @abstractmethod
    def check(self, config: InferenceConfig) -> None:
        """Raise ConfigError or UnsupportedError for settings that do not go together, or that this
        model does not take. Which settings the engine takes at all is checked before.
        """

    def list_models(self) -> list[str]:
        """The names of the models that can be asked. Raises UnsupportedError."""
        raise UnsupportedError(
            f"{self.name} runs on this machine: model.model_name is a file or a name of the hub"
        )
