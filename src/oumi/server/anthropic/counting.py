"""The handler of `/v1/messages/count_tokens`.

https://platform.claude.com/docs/en/api/messages/count_tokens
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oumi.core.json_text import write_json
from oumi.server.anthropic.request import CountBody, read_conversation
from oumi.server.bodies import read_body
from oumi.server.http.exchange import Exchange
from oumi.server.query import check_media

if TYPE_CHECKING:
    from oumi.server.models import ModelTable


class TokenCounting:
    """Counts the tokens of prompts, for models on this machine."""

    def __init__(self, models: ModelTable):
        self._models = models

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request. Raises UnsupportedError where the model is behind an API."""
        body = read_body(CountBody, await exchange.read_body())
        model = self._models.find(body.model)
        conversation = read_conversation(body)
        check_media(conversation, allows_files=model.allows_files)
        count = await model.engine.acount_tokens(conversation)
        await exchange.reply(200, write_json({"input_tokens": count}))
