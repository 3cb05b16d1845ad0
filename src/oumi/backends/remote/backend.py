"""One backend for all APIs. What differs between them stands in the provider's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.media.loader import MediaLoader
from oumi.backends.media.support import takes, unsupported
from oumi.backends.provider import Provider
from oumi.backends.remote import prompt_cache
from oumi.backends.remote.address import Address, find_address
from oumi.backends.remote.api_choice import RESPONSES, dialect_name, find_dialect
from oumi.backends.remote.auth import Auth, open_auth
from oumi.backends.remote.dialects import Dialect
from oumi.backends.remote.http.open_files import most_connections
from oumi.backends.remote.http.rate_limit_headers import RateLimitObserver
from oumi.backends.remote.http.replicas import Replicas
from oumi.backends.remote.http.transport import Transport, open_transport
from oumi.backends.remote.session import RemoteSession
from oumi.backends.remote.user_id import check_user_id, with_user_id
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.configs.part import Part
from oumi.core.logs import warn_once
from oumi.core.urls import without_secrets
from oumi.data.shared_prefix import PrefixMemory
from oumi.errors import ConfigError, EngineError
from oumi.runner import loop
from oumi.runner.cost import Price, find_price, given_price
from oumi.runner.limits.config import Limits
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.limits.shares import share_of
from oumi.structured.contract import make_contract

_LISTS = frozenset({"anthropic-beta"})
"""Headers that name what is wanted besides; ours is needed for what the settings ask for."""


class RemoteBackend(Backend):
    """Connections to one API, and the limits that all its sessions share.

    `transport` may be handed in; it is then the caller's to close.
    """

    def __init__(
        self, row: EngineRow, config: InferenceConfig, *, transport: Transport | None = None
    ):
        super().__init__(row, config)
        self._owns_transport = transport is None
        self._transport = transport
        self._closed = False
        self._rate_limits: dict[tuple[Limits, str], RateLimitObserver] = {}
        self._replicas: dict[tuple[str, ...], Replicas] = {}
        self._auths: dict[str | None, Auth | None] = {}
        self._prefixes = PrefixMemory()
        self._find_auth(find_address(self.provider, config))  # raises what is missing

    @property
    def provider(self) -> Provider:
        """The row of this API."""
        assert self.row.provider is not None  # noqa: S101  for the type checker
        return self.row.provider

    def session(self, config: InferenceConfig) -> RemoteSession:
        """Worked out once a run: where the API is, what opens it, what all requests share."""
        provider, remote = self.provider, _within_reach(config.remote_params or RemoteParams())
        dialect = find_dialect(provider, config)
        address = self._find_address(config)
        adapted = dialect.adapted(config, provider)
        limits = Limits.from_params(remote)
        if config.part is not None:  # whose other parts are asked at the same time
            limits = share_of(limits, Part.parse(config.part).count)
        rate_limits = self._find_rate_limits(limits, address)
        return RemoteSession(
            name=self.name,
            config=config,
            identity=self._identity(config, address),
            # Twice what the limiter lets start, so that rows which wait for a retry hold nobody up.
            max_in_flight=2 * remote.num_workers,
            limiter=rate_limits.limiter,
            retry_policy=RetryPolicy.from_params(remote),
            contract=make_contract(config.generation, adapted.restore if adapted else None),
            price=(price := price_of(provider, config)),
            batch_price=batch_price_of(provider, price),
            prefixes=self._prefixes if prompt_cache.is_on(provider, config) else None,
            provider=provider,
            dialect=dialect,
            address=address,
            headers=_all_headers(address, dialect, config),
            body=with_user_id(dialect.shared_body(config, provider), provider, remote.user_id),
            adapted=adapted,
            has_system_role=self._has_system_role(config),
            media=MediaLoader.from_config(config, self._check_takes, loads_urls=False),
            rate_limits=rate_limits,
            replicas=self._replicas.setdefault(address.bases, Replicas(address.bases)),
            auth=self._find_auth(address),
            transport=self._open,
        )

    def check(self, config: InferenceConfig) -> None:
        """Raise what is wrong with settings before anything is sent."""
        if "model_name" not in config.model.model_fields_set:
            raise ConfigError(f"{self.name}: set model.model_name to one of the API's models")
        find_dialect(self.provider, config).check(config)
        check_user_id(self.provider, config.remote_params)
        self._has_system_role(config)

    def _check_takes(self, kind: str) -> None:
        if not takes(self.provider, kind):
            raise unsupported(self.name, kind)

    def _has_system_role(self, config: InferenceConfig) -> bool:
        """Whether the chat template has one that the server is sent, which is tried out here.

        Raises ConfigError for a template that cannot be used.
        """
        if not config.model.chat_template:
            return True
        from oumi.backends.chat_templates.template import ChatTemplate  # loads jinja2

        return ChatTemplate.from_text(config.model.chat_template, config.model).has_system_role

    def list_models(self, *, chat_only: bool) -> list[str]:
        """The names of the models that the API offers."""
        return loop.call(self.session(self.config).list_models(chat_only=chat_only))

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        transport, self._transport = self._transport, None
        # Where Python is ending, the connections end with it.
        if transport is not None and self._owns_transport and not loop.is_ending():
            loop.call(transport.close())

    def _identity(self, config: InferenceConfig, address: Address) -> Mapping[str, Any]:
        """The provider, the model, and where the API is: the first of its replicas."""
        ignored = {name.partition(".")[2] for name in self.provider.ignores}
        model = config.model.key_values(without=ignored)
        identity = {"engine": self.name, "model": model}
        identity["url"] = without_secrets(address.bases[0])
        name = dialect_name(self.provider, config)
        # Keys of earlier versions, which knew one API of each provider, are made without it.
        return identity if name == self.provider.dialect else {**identity, "api": name}

    def _find_address(self, config: InferenceConfig) -> Address:
        address = find_address(self.provider, config)
        is_responses = dialect_name(self.provider, config) == RESPONSES
        return address.without_deployment() if is_responses else address

    def _find_rate_limits(self, limits: Limits, address: Address) -> RateLimitObserver:
        """The one limiter of these limits at these servers, so that calls side by side keep them
        together.
        """
        key = limits, address.hosts
        if key not in self._rate_limits:
            self._rate_limits[key] = RateLimitObserver(Limiter(limits, server=address.hosts))
        return self._rate_limits[key]

    def _find_auth(self, address: Address) -> Auth | None:
        """What signs calls, where no key is given. All sessions share it, and so its tokens."""
        if address.has_key:
            return None
        if address.key_file not in self._auths:
            self._auths[address.key_file] = open_auth(self.provider, address.key_file)
        return self._auths[address.key_file]

    def _open(self) -> Transport:
        if self._closed:
            raise EngineError("the engine is closed")
        if self._transport is None:
            self._transport = open_transport()
        return self._transport


def _all_headers(address: Address, dialect: Dialect, config: InferenceConfig) -> dict[str, str]:
    """Those of every request; the user's own are laid over ours."""
    headers = {**dict(address.headers), **dialect.headers(config)}
    for name, value in (config.remote_params or RemoteParams()).headers.items():
        key = name.lower()
        is_list = key in _LISTS and key in headers
        headers[key] = f"{headers[key]},{value}" if is_list else value
    return headers


def _within_reach(remote: RemoteParams) -> RemoteParams:
    """The settings with no more requests at once than this process can have connections."""
    most = most_connections()
    if remote.num_workers <= most:
        return remote
    warn_once(
        f"at most {most} requests run at once, not the {remote.num_workers} of num_workers: this "
        "process may not open more files. `ulimit -n` raises that limit"
    )
    return remote.model_copy(update={"num_workers": most})


def price_of(provider: Provider, config: InferenceConfig) -> Price | None:
    """The price that the settings give, or else the published one of the model; None for servers of
    one's own.
    """
    given = given_price(config.price, config.model.model_name)
    if given is not None:
        return given
    if provider.price_list is None:
        return None
    return find_price(config.model.model_name, provider.price_list)


def batch_price_of(provider: Provider, price: Price | None) -> Price | None:
    """What tokens cost in a batch of the provider's API; None where they cost nothing there, or it
    has none.
    """
    return price.times(provider.batch.price_share) if price and provider.batch else None
