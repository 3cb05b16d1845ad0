"""One engine for all APIs: encode, send, decode. What differs stands in the provider's row."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

from oumi.backends.registry import find_engine
from oumi.backends.remote.address import find_address, key_hint
from oumi.backends.remote.auth import Auth, open_auth
from oumi.backends.remote.contract import contract_for
from oumi.backends.remote.dialects import load_dialect
from oumi.backends.remote.errors import to_error
from oumi.backends.remote.http.api_client import ApiClient
from oumi.backends.remote.http.rate_limit_headers import retry_after_s
from oumi.backends.remote.http.replicas import Replicas
from oumi.backends.remote.http.transport import (
    Head,
    Reply,
    Transport,
    TransportError,
    open_transport,
)
from oumi.backends.remote.provider import Provider
from oumi.backends.remote.session import Way
from oumi.batch.api.endpoint import Endpoint
from oumi.batch.api.providers import open_api
from oumi.batch.api.service import ApiBatches, is_for_api
from oumi.batch.service import Batches
from oumi.core.configs import (
    GenerationParams,
    InferenceConfig,
    InferenceEngineType,
    ModelParams,
    RemoteParams,
)
from oumi.core.types.completion import Completion, Delta
from oumi.errors import ConfigError, EngineError, UnsupportedError
from oumi.inference.engine import InferenceEngine
from oumi.runner import loop
from oumi.runner.cost import Price, find_price
from oumi.runner.limits.limiter import Limiter, Limits
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.request import Request
from oumi.structured.contract import Contract

_CHARACTERS_PER_TOKEN = 3


class RemoteInferenceEngine(InferenceEngine):
    """Any server that speaks the OpenAI chat API; `remote_params` say where, and how gently.

    `transport` may be handed in; it is then the caller's to close.
    """

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.REMOTE

    def __init__(
        self,
        model_params: ModelParams | None = None,
        *,
        generation_params: GenerationParams | None = None,
        remote_params: RemoteParams | None = None,
        transport: Transport | None = None,
    ):
        super().__init__(
            model_params, generation_params=generation_params, remote_params=remote_params
        )
        self._own_transport = transport is None
        self._transport = transport
        self._closed = False
        self._limiters: dict[Limits, Limiter] = {}
        self._replicas: dict[tuple[str, ...], Replicas] = {}
        self._signers: dict[str | None, Auth | None] = {}
        self._last_way = self._make_way(self._config)

    @property
    def provider(self) -> Provider:
        """The row of this API."""
        provider = find_engine(self.engine_type).provider
        if provider is None:
            raise TypeError(f"{self.engine_type} is no engine behind an API")
        return provider

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        way = self._way(request.config)
        reply = await self._post(way, request)
        return way.dialect.decode(reply.body, request.config)

    async def stream_completion(self, request: Request) -> AsyncIterator[Delta]:
        """Answer one request piece by piece."""
        way = self._way(request.config)
        decoder = way.dialect.stream_decoder(request.config)
        with way.replicas.pick() as replica:
            call = await way.call(replica, request, stream=True)
            async with aclosing(self._open().stream(call)) as parts:
                async for part in parts:
                    if not isinstance(part, Head):
                        for delta in decoder.feed(part):
                            yield delta
                        continue
                    way.limiter.observe(part.headers)
                    self._check_reply(request.config, part)
        yield decoder.last()

    def list_models(self) -> list[str]:
        """The names of the models that the API offers."""
        return loop.call(self._list_models())

    def in_flight(self, config: InferenceConfig) -> int:
        """Twice as many as the limiter lets start, so that rows which wait for a further try
        hold nobody up.
        """
        return 2 * _remote(config).num_workers

    def limiter(self, config: InferenceConfig) -> Limiter:
        """The one owner of this engine's rates and concurrency, under these settings."""
        return self._way(config).limiter

    def retry_policy(self, config: InferenceConfig) -> RetryPolicy:
        """How often a failed try is made again."""
        return RetryPolicy.from_params(_remote(config))

    def price(self, config: InferenceConfig) -> Price | None:
        """The published price; None for servers of one's own."""
        if self.provider.price_list is None:
            return None
        return find_price(config.model.model_name, self.provider.price_list)

    def contract(self, config: InferenceConfig) -> Contract | None:
        """What answers have to look like, once they are turned back from the API's form."""
        return contract_for(self.provider, config)

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """A generous guess, made only where there is a limit to keep."""
        remote = _remote(request.config)
        if remote.input_tokens_per_minute is None and remote.output_tokens_per_minute is None:
            return 0, 0
        text = sum(
            len(m.content) for m in request.conversation.messages if isinstance(m.content, str)
        )
        return text // _CHARACTERS_PER_TOKEN + 1, request.config.generation.max_new_tokens

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """The provider, the model, and where the API is: the first of its replicas."""
        ignored = {name.partition(".")[2] for name in self.provider.ignores}
        model = config.model.model_dump(mode="json", exclude=ignored)
        return {"engine": self.name, "model": model, "url": self._way(config).address.bases[0]}

    def endpoint(self, config: InferenceConfig) -> Endpoint:
        """The way to the API's batches under these settings. Raises UnsupportedError."""
        way, offer, price = self._way(config), self.provider.batch, self.price(config)
        if offer is None:
            raise UnsupportedError(f"{self.name} has no batch API")
        policy = self.retry_policy(config)
        channel = ApiClient(way, self._open(), policy, lambda r: self._check_reply(config, r))
        return Endpoint(
            open_api(offer.family, channel, self.name),
            offer,
            way.dialect.path(config),
            _remote(config).batch_completion_window,
            policy,
            lambda conversation: way.encode(Request(conversation, config)),
            lambda body: way.dialect.decode(body, config),
            self.contract(config),
            price and price.times(offer.price_share),
        )

    async def _batches(self, config: InferenceConfig, batch_id: str | None = None) -> Batches:
        if await is_for_api(self, config, batch_id):
            return ApiBatches(self)
        return await super()._batches(config, batch_id)

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None and self._own_transport:
            loop.call(transport.close())

    async def _post(self, way: Way, request: Request) -> Reply:
        with way.replicas.pick() as replica:
            call = await way.call(replica, request)
            try:
                reply = await self._open().send(call)
            except TransportError:
                way.replicas.failed(replica)
                raise
            if reply.status == 200:
                way.replicas.answered(replica)
            elif reply.status >= 500:
                way.replicas.failed(replica)
        way.limiter.observe(reply.headers)
        self._check_reply(way.config, reply)
        return reply

    async def _list_models(self) -> list[str]:
        way = self._way(self._config)
        if not self.provider.lists_models:
            raise UnsupportedError(f"{self.name} does not list its models")
        reply = await self._open().send(await way.models_call(way.dialect.models_path))
        self._check_reply(self._config, reply)
        return way.dialect.decode_models(reply.body)

    def _check_reply(self, config: InferenceConfig, reply: Reply) -> None:
        """Raise what a reply other than 200 means."""
        if reply.status != 200:
            hint = key_hint(self.provider, _remote(config))
            wait_s = retry_after_s(reply.headers, time.time())
            raise to_error(reply.status, reply.body, wait_s, self.name, hint)

    def _open(self) -> Transport:
        if self._closed:
            raise EngineError("the engine is closed")
        if self._transport is None:
            self._transport = open_transport()
        return self._transport

    def _way(self, config: InferenceConfig) -> Way:
        """Worked out once per run: all its rows share one config."""
        way = self._last_way  # other threads may set it
        if way.config is not config:
            way = self._last_way = self._make_way(config)
        return way

    def _make_way(self, config: InferenceConfig) -> Way:
        address = find_address(self.provider, config)
        limits = Limits.from_params(_remote(config))
        dialect = load_dialect(self.provider.dialect)
        return Way(
            config,
            self.provider,
            dialect,
            address,
            dict(address.headers) | dict(dialect.headers(config)),
            dialect.shared_body(config, self.provider),
            dialect.adapted(config, self.provider),
            self._replicas.setdefault(address.bases, Replicas(address.bases)),
            self._limiters.setdefault(limits, Limiter(limits)),
            None if address.has_key else self._find_signer(address.key_file),
        )

    def _find_signer(self, key_file: str | None) -> Auth | None:
        """The one that all calls share, so that they share its tokens."""
        if key_file not in self._signers:
            self._signers[key_file] = open_auth(self.provider, key_file)
        return self._signers[key_file]

    def _check(self, config: InferenceConfig) -> None:
        super()._check(config)
        if "model_name" not in config.model.model_fields_set:
            raise ConfigError(f"{self.name}: set model.model_name to one of the API's models")
        load_dialect(self.provider.dialect).check(config)


def _remote(config: InferenceConfig) -> RemoteParams:
    return config.remote_params or RemoteParams()
