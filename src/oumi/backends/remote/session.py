"""The way to an API under the settings of a call: what all its requests have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from oumi.backends.remote.address import Address
from oumi.backends.remote.auth import Auth
from oumi.backends.remote.dialects import Dialect
from oumi.backends.remote.http.replicas import Replica, Replicas
from oumi.backends.remote.http.transport import Call
from oumi.backends.remote.providers import Provider
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.errors import UnsupportedError
from oumi.runner.limits.limiter import Limiter
from oumi.runner.request import Request
from oumi.structured.schema.adapt import AdaptedSchema, add_instruction


@dataclass(frozen=True, slots=True)
class Way:
    """The way to the API under the settings of a call."""

    config: InferenceConfig
    provider: Provider
    dialect: Dialect
    address: Address
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any]
    """What the bodies of all requests have in common."""
    adapted: AdaptedSchema | None
    """What answers have to look like, as the API takes it."""
    replicas: Replicas
    limiter: Limiter
    signer: Auth | None

    @property
    def timeout_s(self) -> float:
        """How long a reply may take."""
        return (self.config.remote_params or RemoteParams()).connection_timeout

    def encode(self, request: Request, *, stream: bool = False) -> bytes:
        """The body of a request. Raises RequestError for one that cannot be sent."""
        self._check_content(request)
        told = add_instruction(request.conversation, self.adapted)
        if told is not request.conversation:
            request = replace(request, conversation=told)
        return self.dialect.encode(request, self.body, stream=stream)

    async def call(self, replica: Replica, request: Request, *, stream: bool = False) -> Call:
        """Ready to be sent. Raises RequestError for a request that cannot be."""
        body = self.encode(request, stream=stream)
        url = replica.base + self.dialect.path(self.config, stream=stream) + self.address.query
        return await self.signed(Call("POST", url, self.headers, body, self.timeout_s))

    async def models_call(self, path: str) -> Call:
        """The call that lists models."""
        url = self.address.models_base + path + self.address.query
        return await self.signed(Call("GET", url, self.headers, b"", self.timeout_s))

    async def signed(self, call: Call) -> Call:
        """A call with what stands in for a key, where that is made for each call."""
        return call if self.signer is None else await self.signer.sign(call)

    def _check_content(self, request: Request) -> None:
        if self.provider.takes_images:
            return
        if any(message.contains_images() for message in request.conversation.messages):
            raise UnsupportedError(
                f"{self.provider.engine} takes no images; most engines behind an API do"
            )
