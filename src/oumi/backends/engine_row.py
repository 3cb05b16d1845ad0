"""What there is to know about an engine: one frozen row."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

from oumi.backends.embedding_support import EmbeddingSupport
from oumi.backends.provider import Provider
from oumi.backends.settings import LOADING_KWARGS


@dataclass(frozen=True, kw_only=True)
class EngineRow:
    """Facts about one engine. Settings are named by their path, such as `generation.top_k`."""

    name: str
    """What `engine` in a config says."""
    class_name: str
    """The name of its class in `oumi.inference`."""
    backend: str
    """Where its backend is, as `module:class`. The module may import its runtime."""
    summary: str
    """What it is, in a few words, as they go on after "LLAMACPP: "."""
    runtime: str
    """The package that has to be importable."""
    install: str
    """The command that installs it."""
    supports: frozenset[str]
    """Settings that it uses. All others are refused."""
    ignores: frozenset[str] = frozenset()
    """Settings that the model's file or the server decides; named in a warning, not refused."""
    embeddings: EmbeddingSupport | None = None
    """How it makes embeddings; None where it makes none."""
    settings_in_kwargs: Mapping[str, str] = field(default_factory=LOADING_KWARGS.copy)
    """Names in `model.model_kwargs` that mean another field of `model`: `{name: field}`."""
    provider: Provider | None = None
    """The row of its API; None for an engine without one."""

    def is_installed(self) -> bool:
        """Whether the runtime is importable here; it is not imported."""
        return importlib.util.find_spec(self.runtime) is not None
