"""Azure OpenAI's batches: those of OpenAI, above a deployment whose type is a batch one.

https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from oumi.backends.remote.api_client import ApiClient
from oumi.batch.api.providers.facts import read_object
from oumi.batch.api.providers.openai import OpenAIBatches
from oumi.batch.window import check_window
from oumi.errors import RequestError, UnavailableError

_WINDOW = timedelta(hours=24)
_V1 = "/v1"
# Files of 200 MB are checked within minutes.
_LOOKS, _LOOK_S = 120, 5.0
_READY = "processed"
_UNUSABLE = ("error", "failed", "cancelled", "deleted")


class AzureBatches(OpenAIBatches):
    """Paths of the API with versions lack the `/v1` of OpenAI's, and files have to be checked
    before a batch is made of them.
    """

    def __init__(self, client: ApiClient, engine: str):
        base = client.session.address.without_deployment().bases[0]
        super().__init__(client.at(base), engine)
        self.prefix = _V1 if base.endswith(_V1) else ""

    async def upload(self, file: Path, tag: str) -> str:
        """Upload the file, and wait until it was checked. Raises RequestError for a file that is
        refused.
        """
        upload = await super().upload(file, tag)
        for look in range(_LOOKS):
            facts = read_object(await self._client.get(f"/files/{upload}"))
            status = str(facts.get("status") or _READY).lower()
            if status == _READY:
                return upload
            if status in _UNUSABLE:
                raise RequestError(f"{self._engine} refuses the file {upload}: {dict(facts)}")
            await asyncio.sleep(min(_LOOK_S, 0.1 * 2**look))
        raise UnavailableError(f"{self._engine} has not checked the file {upload} yet: ask again")

    def _order(self, upload: str, tag: str, path: str, window: str) -> dict[str, Any]:
        check_window(self._engine, window, _WINDOW)
        return super()._order(upload, tag, path, window)


def open_api(client: ApiClient, engine: str) -> AzureBatches:
    """The batch API, called through a client."""
    return AzureBatches(client, engine)
