"""How a server is reached, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from oumi.errors import ConfigError
from oumi.server.http.api_keys import VARIABLE, ApiKeys
from oumi.server.http.loopback import is_loopback
from oumi.server.key_settings import KeySettings

MAX_BODY_BYTES = 64 * 1024 * 1024
"""OpenAI takes 50 MB of images a request, which base64 makes a third larger."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Settings of the server itself. Raises ConfigError for those that let strangers in."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0: any that is free."""
    keys: ApiKeys = field(default_factory=lambda: ApiKeys({}))
    key_settings: Mapping[str, KeySettings] = field(default_factory=dict)
    """The limits and budgets of keys, by their names."""
    most_waiting: int = 256
    """How many requests may wait for each model, beyond those that are worked on."""
    max_body_bytes: int = MAX_BODY_BYTES
    drain_s: float = 30.0
    """How long requests may still take once the server is to stop."""
    cors: tuple[str, ...] = ()
    """Origins of web pages that may ask."""

    def __post_init__(self) -> None:
        if not self.keys and not is_loopback(self.host):
            raise ConfigError(
                f"--host {self.host} lets other machines in: set --api_key or {VARIABLE}, or leave "
                "it at 127.0.0.1"
            )
