"""The formats of the APIs: pure functions from a request to a body, and from a reply back."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oumi.errors import ConfigError

if TYPE_CHECKING:
    from oumi.backends.provider import Provider
    from oumi.core.configs import InferenceConfig
    from oumi.core.types.completion import Completion, Delta
    from oumi.runner.request import Request
    from oumi.structured.schema.adapt import AdaptedSchema


class StreamDecoder(Protocol):
    """Decodes one streamed reply, however its bytes are cut into chunks."""

    def feed(self, chunk: bytes) -> list[Delta]:
        """The deltas that end within `chunk`.

        Raises BadReplyError for what is no answer, UnreadableAnswerError for a strange one.
        """
        ...

    def last(self) -> Delta:
        """The delta that carries the whole answer, and the text that was left.

        Raises BadReplyError for a cut-off stream, UnreadableAnswerError for a strange answer.
        """
        ...


class Dialect(Protocol):
    """What a module of this folder has.

    Nothing in it reads a clock, the environment or a file.
    """

    @property
    def models_path(self) -> str:
        """Where the API lists its models, below the base."""
        ...

    @property
    def settings(self) -> Collection[str]:
        """The settings that it can send: the keys of the maps by which it encodes a request."""
        ...

    def path(self, config: InferenceConfig, *, stream: bool = False) -> str:
        """Where the API takes requests, below the base."""
        ...

    def headers(self, config: InferenceConfig) -> Mapping[str, str]:
        """Headers that follow from the settings; none of them is secret."""
        ...

    def check(self, config: InferenceConfig) -> None:
        """Raise ConfigError for a wrong setting, UnsupportedError for one that the API or the model
        does not take. Called before anything is sent.
        """
        ...

    def adapted(self, config: InferenceConfig, provider: Provider) -> AdaptedSchema | None:
        """The constraint on answers in the form that the API takes; None without a constraint, or
        where the API takes it unchanged.
        """
        ...

    def shared_body(self, config: InferenceConfig, provider: Provider) -> dict[str, Any]:
        """What the bodies of all requests under these settings have in common."""
        ...

    def encode(
        self,
        request: Request,
        shared: Mapping[str, Any],
        *,
        stream: bool = False,
        provider: Provider | None = None,
    ) -> bytes:
        """The body of a request. Raises RequestError for what cannot be sent."""
        ...

    def decode(self, body: bytes, config: InferenceConfig) -> Completion:
        """The completion in a reply with status 200.

        Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
        """
        ...

    def stream_decoder(self, config: InferenceConfig) -> StreamDecoder:
        """A decoder for one streamed reply."""
        ...

    def decode_models(self, body: bytes, *, chat_only: bool = False) -> list[str]:
        """The names in a list of models; with `chat_only` those of models that may chat, as far as
        that can be told. Raises BadReplyError for a body that is no list.
        """
        ...


def load_dialect(name: str) -> Dialect:
    """The dialect of a provider's row: a module of this folder, or any other by its full path."""
    dialect: Dialect = importlib.import_module(name if "." in name else f"{__name__}.{name}")
    return dialect


def check_supports(provider: Provider) -> None:
    """Raise ConfigError for a setting that a provider selects and its dialect does not send."""
    unsent = provider.supports - set(load_dialect(provider.dialect).settings)
    if provider.dialect == "chat":  # beside which there may be the completions API
        unsent -= set(load_dialect("completions").settings)
    if unsent:
        raise ConfigError(
            f"{provider.name} supports {', '.join(sorted(unsent))}, which the dialect "
            f"{provider.dialect} does not send"
        )


if TYPE_CHECKING:
    from oumi.backends.remote.dialects import anthropic, bedrock, chat, completions, responses

    _all: tuple[Dialect, ...] = (
        anthropic,
        bedrock,
        chat,
        completions,
        responses,
    )  # holds each against the Protocol
