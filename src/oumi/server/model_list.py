"""The models that are served, in the words of OpenAI and of Anthropic at once.

https://platform.openai.com/docs/api-reference/models/list
https://platform.claude.com/docs/en/api/models/list
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oumi.core.json_text import write_json
from oumi.server.http.exchange import Exchange

if TYPE_CHECKING:
    from oumi.server.models import ModelTable


class ModelList:
    """Handlers for the list, and for one of its models."""

    def __init__(self, models: ModelTable):
        self._models = models
        self._created = int(time.time())

    async def all(self, exchange: Exchange) -> None:
        """All models."""
        found = [self._encode(model.name) for model in self._models]
        ends = {"first_id": found[0]["id"], "last_id": found[-1]["id"], "has_more": False}
        await exchange.reply(200, write_json({"object": "list", "data": found, **ends}))

    async def one(self, exchange: Exchange) -> None:
        """The model that the path names. Raises HttpError where there is none."""
        model = self._models.find(exchange.scope["path_params"]["name"])
        await exchange.reply(200, write_json(self._encode(model.name)))

    def _encode(self, name: str) -> dict[str, Any]:
        created = datetime.fromtimestamp(self._created, UTC).isoformat().replace("+00:00", "Z")
        openai = {"object": "model", "created": self._created, "owned_by": "oumi"}
        anthropic = {"type": "model", "display_name": name, "created_at": created}
        return {"id": name, **openai, **anthropic}
