"""What every backend is: a loaded model or a reachable API that answers through sessions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from oumi.backends.engine_row import EngineRow
from oumi.core.configs.inference_config import InferenceConfig
from oumi.errors import UnsupportedError
from oumi.runner.request import Request
from oumi.runner.session import Session


class Backend(ABC):
    """Holds what is costly to make: a model in memory, or connections to an API.

    `config` holds the settings that it was made with. Safe to use from several threads.
    """

    is_of_parent = False
    """Whether it was made before this process was forked, and works in the parent alone."""

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

    def why_no_embeddings(self) -> str | None:
        """Why the model that is held makes none, where the engine does; None where it does too."""
        return None

    def list_models(self, *, chat_only: bool) -> list[str]:
        """The names of the models that can be asked: the one that is held."""
        return [self.config.model.model_name]

    def adapted(self, request: Request) -> Request:
        """The request as its chat template can render it."""
        return request

    async def render(self, request: Request) -> str:
        """The prompt of a request, as its chat template writes it. Raises UnsupportedError."""
        raise UnsupportedError(f"{self.name} renders no chat template")

    async def count_tokens(self, request: Request) -> int:
        """How many tokens the prompt of a request has. Raises UnsupportedError."""
        raise UnsupportedError(f"{self.name} counts no tokens before it is asked")
