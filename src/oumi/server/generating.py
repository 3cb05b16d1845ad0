"""The handler of all endpoints that generate: one query, answered whole or as a stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oumi.core.types.completion import Usage
from oumi.server.asking import answer, open_stream, session_of
from oumi.server.http.exchange import JSON, Exchange, Header
from oumi.server.keys.accounts import Accounts
from oumi.server.metrics import Metrics
from oumi.server.query import Api, Query, check_media, usage_of

if TYPE_CHECKING:
    from oumi.runner.limits.budget import Budget
    from oumi.server.models import Model, ModelTable


class Generating:
    """Answers the requests of one API by the models of a server."""

    def __init__(self, api: Api, models: ModelTable, metrics: Metrics, accounts: Accounts):
        self._api = api
        self._models = models
        self._metrics = metrics
        self._accounts = accounts

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        query = self._api.read(await exchange.read_body())
        models = self._models.candidates(query.model)
        allows_files = all(model.allows_files for model in models)  # whichever of them answers
        check_media(query.conversation, allows_files=allows_files)
        with exchange.ends_with_client():
            account = self._accounts.get(exchange.caller)
            if account is None:
                await self._respond(exchange, query, models)
                return
            session = await session_of(models[0], query)
            async with account.admit(session, query) as permit:
                usage = await self._respond(exchange, query, models, account.budget)
                permit.done(usage.prompt_tokens, usage.completion_tokens, 0.0)

    async def _respond(
        self,
        exchange: Exchange,
        query: Query,
        models: Sequence[Model],
        budget: Budget | None = None,
    ) -> Usage:
        """Send the answer, and return what it took."""
        if query.stream:
            return await self._stream(exchange, query, models, budget)
        found = await answer(models, query, budget)
        usage = found.usage
        self._metrics.answered(self._models.find(found.model), exchange.caller, usage)
        body = self._api.reply(query, found)
        await exchange.reply(200, body, (JSON, _model_header(found.model)))
        return usage

    async def _stream(
        self, exchange: Exchange, query: Query, models: Sequence[Model], budget: Budget | None
    ) -> Usage:
        started_s, usage = time.monotonic(), Usage()
        async with open_stream(models, query, budget) as (model, (sample, delta), parts):
            self._metrics.first_token(model, time.monotonic() - started_s)
            encoder = self._api.stream(query, model.name)
            exchange.headers.append(_model_header(model.name))
            await exchange.begin_stream()
            await exchange.send_part(encoder.start() + encoder.add(sample, delta))
            usage += usage_of(delta.completion)
            async for sample, delta in parts:
                await exchange.send_part(encoder.add(sample, delta))
                if delta.completion is not None:
                    usage += usage_of(delta.completion)
        self._metrics.answered(model, exchange.caller, usage)
        await exchange.end_stream(encoder.end(usage))
        return usage


def _model_header(name: str) -> Header:
    """Which model has answered, which may be another one than was asked for."""
    return b"x-oumi-model", name.encode("ascii", "backslashreplace")
