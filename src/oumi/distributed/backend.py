"""The backend of an engine whose model runs on a Ray cluster."""

from __future__ import annotations

import math

from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.remote.backend import RemoteBackend
from oumi.core.configs import InferenceConfig
from oumi.core.configs.cluster_params import ClusterParams
from oumi.core.configs.secrets import inline_secrets
from oumi.core.forks import watch_forks
from oumi.distributed.cluster import Cluster
from oumi.distributed.messages import WorkerFacts
from oumi.distributed.pool import WorkerPool
from oumi.distributed.session import ClusterSession
from oumi.errors import ConfigError
from oumi.runner import loop
from oumi.runner.cost import given_price
from oumi.runner.limits.config import Limits
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.session import Session
from oumi.structured.contract import make_contract

_WAITING = 1.25
"""A quarter of the rows that workers have waits in the driver, so that there is a choice of rows
for a worker that has room: see `Dispatcher`."""


class ClusterBackend(Backend):
    """Starts the workers, and holds the links to them."""

    def __init__(self, row: EngineRow, config: InferenceConfig):
        super().__init__(row, config)
        _check_no_keys(row, config)
        self._params = config.cluster or ClusterParams()
        self._cluster = Cluster(row, config, self._params)
        # An API's limits and prices are the driver's: it sends nothing, but knows the API.
        self._api = RemoteBackend(row, config) if row.provider is not None else None
        self._facts = loop.call(self._open())
        watch_forks(self)

    def session(self, config: InferenceConfig) -> Session:
        """Requests go to the workers; all else is decided here."""
        if self._api is not None:
            return self._api_session(self._api, config)
        in_flight = math.ceil(self._facts.most_rows * self._cluster.wanted() * _WAITING)
        return ClusterSession(
            name=self.name,
            config=config,
            identity=self._facts.identity,
            max_in_flight=in_flight,
            limiter=Limiter(Limits(in_flight=in_flight, adaptive=False)),
            retry_policy=RetryPolicy(max_retries=0),
            contract=make_contract(config.generation, is_sampled_here=True),
            price=given_price(config.price, config.model.model_name),
            pool=self._pool,
            estimate=lambda request: (0, 0),
        )

    def check(self, config: InferenceConfig) -> None:
        """Raise ConfigError for another model than the workers hold."""
        if config.model.model_dump() != self.config.model.model_dump():
            raise ConfigError(
                f"the workers hold {self.config.model.model_name!r} with its own model settings; "
                "make another engine for others"
            )

    def list_models(self, *, chat_only: bool) -> list[str]:
        """Those of the API, or the one that the workers hold."""
        if self._api is not None:
            return self._api.list_models(chat_only=chat_only)
        return super().list_models(chat_only=chat_only)

    def after_fork(self) -> None:
        """The workers are the parent's."""
        self.is_of_parent = True

    def close(self) -> None:
        """End the workers."""
        if not loop.is_ending():
            loop.call(self._pool.close())
        if self._api is not None:
            self._api.close()

    def _api_session(self, api: RemoteBackend, config: InferenceConfig) -> Session:
        session = api.session(config)
        return ClusterSession(
            name=session.name,
            config=session.config,
            identity=session.identity,
            max_in_flight=session.max_in_flight,
            limiter=session.limiter,
            retry_policy=session.retry_policy,
            media=session.media,
            contract=session.contract,
            price=session.price,
            prefixes=session.prefixes,
            pool=self._pool,
            rate_limits=session.rate_limits,
            estimate=session.estimate_tokens,
        )

    async def _open(self) -> WorkerFacts:
        self._pool = WorkerPool(self._params, self._cluster)
        try:
            return await self._pool.open()
        except BaseException:
            await self._pool.close()
            raise


def _check_no_keys(row: EngineRow, config: InferenceConfig) -> None:
    """Raise ConfigError for a key in the settings, which would go to the workers in the open."""
    found = [name for name, value in inline_secrets(config.remote_params).items() if value]
    if found:
        names = " or ".join(row.provider.key_env) if row.provider else ""
        raise ConfigError(
            f"remote_params.{found[0]} holds something secret, which is not sent through a "
            f"cluster: set {names or 'an environment variable'} instead, which is handed to the "
            "workers"
        )
