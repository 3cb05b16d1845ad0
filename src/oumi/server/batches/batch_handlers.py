"""The handlers of `/v1/batches`.

https://platform.openai.com/docs/api-reference/batch
"""

from __future__ import annotations

import asyncio

from pydantic import Field

from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo
from oumi.server.accounts.accounts import Accounts
from oumi.server.batches.pages import page_of
from oumi.server.batches.records import BatchRecord
from oumi.server.batches.service import BatchService
from oumi.server.bodies import Body, read_body
from oumi.server.http.errors import wrong_field
from oumi.server.http.exchange import Exchange


class BatchBody(Body):
    """The body of a request for a batch."""

    input_file_id: str
    endpoint: str
    completion_window: str = Field(default="24h", pattern=r"^\d+[mhd]$")
    metadata: dict[str, str] | None = None


class BatchHandlers:
    """Batches: made, looked at, listed, cancelled."""

    def __init__(self, service: BatchService, accounts: Accounts):
        self._service = service
        self._accounts = accounts

    async def create(self, exchange: Exchange) -> None:
        """Begin a batch."""
        self._accounts.check_batches(exchange.caller)
        body = read_body(BatchBody, await exchange.read_body())
        for name in body.model_extra or {}:
            raise wrong_field(name, "it is not supported here")
        record, info = await self._service.create(
            body.input_file_id,
            exchange.caller,
            body.endpoint,
            body.completion_window,
            body.metadata or {},
        )
        await _show(exchange, record, info)

    async def one(self, exchange: Exchange) -> None:
        """How far a batch is."""
        await _show(exchange, *await self._service.get(_id(exchange), exchange.caller))

    async def cancel(self, exchange: Exchange) -> None:
        """Stop a batch."""
        await _show(exchange, *await self._service.cancel(_id(exchange), exchange.caller))

    async def all(self, exchange: Exchange) -> None:
        """The batches, the newest first."""
        page = page_of(await self._service.list(exchange.caller), exchange)
        looks = (self._service.get(record.id, exchange.caller) for record in page.items)
        shown = [record.to_dict(info) for record, info in await asyncio.gather(*looks)]
        await exchange.reply(200, write_json(page.to_dict(shown)))


async def _show(exchange: Exchange, record: BatchRecord, info: BatchInfo) -> None:
    await exchange.reply(200, write_json(record.to_dict(info)))


def _id(exchange: Exchange) -> str:
    return str(exchange.scope["path_params"]["id"])
