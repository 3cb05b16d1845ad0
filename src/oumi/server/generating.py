"""The handler of all endpoints that generate: one query, answered whole or as a stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from oumi.core.types.completion import Completion, Delta, Usage
from oumi.runner.request import Request
from oumi.server.accounts.accounts import Accounts
from oumi.server.asking import answer, open_stream, session_of
from oumi.server.http.exchange import JSON, Exchange, Header
from oumi.server.metrics import Metrics
from oumi.server.query import Api, Query, StreamEncoder, check_media, usage_of_all

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
            await self._accounts.respond(
                exchange.caller,
                partial(self._respond, exchange, query, models),
                partial(_estimate, models[0], query),
            )

    async def _respond(
        self, exchange: Exchange, query: Query, models: Sequence[Model], budget: Budget | None
    ) -> Usage:
        """Send the answer, and return what it took."""
        if query.stream:
            return await self._stream(exchange, query, models, budget)
        found = await answer(models, query, budget)
        model = self._models.find(found.model)
        usage = self._answered(exchange, model, found.completions)
        body = self._api.reply(query, found)
        headers = _headers(model, from_cache=found.from_cache)
        await exchange.reply(200, body, (JSON, *headers))
        return usage

    async def _stream(
        self, exchange: Exchange, query: Query, models: Sequence[Model], budget: Budget | None
    ) -> Usage:
        started_s, completions = time.monotonic(), list[Completion]()
        async with open_stream(models, query, budget) as (model, first, parts):
            self._metrics.first_token(model, time.monotonic() - started_s)
            encoder = self._api.stream(query, model.name)
            exchange.headers += _headers(model, from_cache=_is_whole_from_cache(query, first[1]))
            await exchange.begin_stream()
            await exchange.send_part(encoder.start() + _add(encoder, first, completions))
            async for part in parts:
                await exchange.send_part(_add(encoder, part, completions))
        usage = self._answered(exchange, model, completions)
        await exchange.end_stream(encoder.end(usage_of_all(completions)))
        return usage

    def _answered(
        self, exchange: Exchange, model: Model, completions: Sequence[Completion]
    ) -> Usage:
        """Count answers, and return what they took now."""
        fresh = [completion for completion in completions if not completion.from_cache]
        usage = usage_of_all(fresh)
        self._metrics.answered(model, exchange.caller, usage, len(completions) - len(fresh))
        return usage


async def _estimate(model: Model, query: Query) -> tuple[int, int]:
    """Tokens of the prompt and of the answers, mostly more than they will have."""
    session = await session_of(model, query)
    prompt = 0
    for conversation in (query.conversation, *query.further):
        counted = await session.count_prompt(Request(conversation, session.config))
        prompt += counted.high * query.samples
    return prompt, session.config.generation.max_new_tokens * query.answers


def _add(encoder: StreamEncoder, part: tuple[int, Delta], completions: list[Completion]) -> bytes:
    """The events of a part; the answer that it ends is added to the others."""
    if part[1].completion is not None:
        completions.append(part[1].completion)
    return encoder.add(*part)


def _is_whole_from_cache(query: Query, first: Delta) -> bool:
    """Whether nothing is asked for anew, as far as the first part of a stream shows."""
    return query.answers == 1 and first.completion is not None and first.completion.from_cache


@lru_cache
def model_header(name: str) -> Header:
    """Which model has answered, which may be another one than was asked for."""
    return b"x-oumi-model", name.encode("ascii", "backslashreplace")


def _headers(model: Model, *, from_cache: bool) -> list[Header]:
    """Which model has answered; and whether it was asked at all, where it has a cache."""
    headers = [model_header(model.name)]
    if model.cache is not None:
        headers.append((b"x-oumi-cache", b"hit" if from_cache else b"miss"))
    return headers
