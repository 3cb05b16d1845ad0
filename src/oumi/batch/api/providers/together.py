"""Together's batch API: that of OpenAI with another upload, and without metadata.

https://docs.together.ai/reference/upload-file
https://docs.together.ai/docs/inference/batch/overview
"""

from __future__ import annotations

from oumi.backends.remote.api_client import ApiClient
from oumi.batch.api.providers.openai import OpenAIBatches


class TogetherBatches(OpenAIBatches):
    """States are in upper case, lists have no envelope, and a new batch is a reply's `job`."""

    upload_path = "/files/upload"
    purpose = "batch-api"

    def _fields(self, name: str) -> dict[str, str]:
        return {"purpose": self.purpose, "file_name": name, "file_type": "jsonl"}


def open_api(client: ApiClient, engine: str) -> TogetherBatches:
    """The batch API, called through a client."""
    return TogetherBatches(client, engine)
