"""The handler of all endpoints that generate: one query, answered whole or as a stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oumi.core.types.completion import Usage
from oumi.server.asking import answer, open_stream
from oumi.server.http.exchange import JSON, Exchange, Header
from oumi.server.metrics import Metrics
from oumi.server.query import Api, Query, check_media, usage_of

if TYPE_CHECKING:
    from oumi.server.models import Model, ModelTable


class Generating:
    """Answers the requests of one API by the models of a server."""

    def __init__(self, api: Api, models: ModelTable, metrics: Metrics):
        self._api = api
        self._models = models
        self._metrics = metrics

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        query = self._api.read(await exchange.read_body())
        models = self._models.candidates(query.model)
        allows_files = all(model.allows_files for model in models)  # whichever of them answers
        check_media(query.conversation, allows_files=allows_files)
        with exchange.ends_with_client():
            if query.stream:
                await self._stream(exchange, query, models)
            else:
                await self._reply(exchange, query, models)

    async def _reply(self, exchange: Exchange, query: Query, models: Sequence[Model]) -> None:
        found = await answer(models, query)
        self._metrics.answered(self._models.find(found.model), exchange.caller, found.usage)
        body = self._api.reply(query, found)
        await exchange.reply(200, body, (JSON, model_header(found.model)))

    async def _stream(self, exchange: Exchange, query: Query, models: Sequence[Model]) -> None:
        started_s, usage = time.monotonic(), Usage()
        async with open_stream(models, query) as (model, (sample, delta), parts):
            self._metrics.first_token(model, time.monotonic() - started_s)
            encoder = self._api.stream(query, model.name)
            exchange.headers.append(model_header(model.name))
            await exchange.begin_stream()
            await exchange.send_part(encoder.start() + encoder.add(sample, delta))
            usage += usage_of(delta.completion)
            async for sample, delta in parts:
                await exchange.send_part(encoder.add(sample, delta))
                if delta.completion is not None:
                    usage += usage_of(delta.completion)
        self._metrics.answered(model, exchange.caller, usage)
        await exchange.end_stream(encoder.end(usage))


def model_header(name: str) -> Header:
    """Which model has answered, which may be another one than was asked for."""
    return b"x-oumi-model", name.encode("ascii", "backslashreplace")
