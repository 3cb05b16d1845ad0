"""Mistral's batch jobs: files as at OpenAI, and jobs with other names for the same fields.

https://docs.mistral.ai/capabilities/batch
https://docs.mistral.ai/api/endpoint/batch
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from oumi.backends.remote.api_client import ApiClient
from oumi.batch.api.providers.base import ApiBatch, BatchRequest
from oumi.batch.api.providers.facts import read_count, read_object, read_objects
from oumi.batch.api.providers.openai import TAG, OpenAIBatches
from oumi.batch.api.providers.result_lines import read_request
from oumi.batch.api.providers.shared import line_without_model
from oumi.batch.window import whole_hours
from oumi.core.types.batch import BatchStatus
from oumi.errors import OumiError, UnsupportedError

_PAGE = 100
_STATUSES = {
    "queued": BatchStatus.VALIDATING,
    "running": BatchStatus.IN_PROGRESS,
    "cancellation_requested": BatchStatus.CANCELLING,
    "success": BatchStatus.COMPLETED,
    "failed": BatchStatus.FAILED,
    "timeout_exceeded": BatchStatus.EXPIRED,
    "cancelled": BatchStatus.CANCELLED,
}


class MistralBatches(OpenAIBatches):
    """The job names the model, not its requests."""

    batches_path = "/batch/jobs"
    statuses = _STATUSES

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request as a line of the file."""
        return line_without_model(custom_id, body)

    async def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """The lines of the files that the job was made of.

        Raises UnsupportedError for a job that was made without files.
        """
        files = _files(batch.raw)
        if not files:
            raise UnsupportedError(
                f"{batch.info.id} was made without a file, and {self._engine} does not tell what "
                "was asked in it"
            )
        for file in files:
            async for line in self._client.lines(f"/files/{file}/content"):
                request = read_request(line)
                model = {"model": batch.raw.get("model")}
                yield replace(request, body={**model, **request.body})

    async def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, page by page."""
        page = seen = 0
        while True:
            query = f"page={page}&page_size={_PAGE}&order_by=-created"
            reply = await self._client.get(f"{self.batches_path}?{query}")
            values = read_objects(read_object(reply).get("data"))
            for value in values:
                yield self._read(value)
            page, seen = page + 1, seen + len(values)
            if not values or seen >= read_count(reply.get("total")):
                return

    def _order(self, upload: str, tag: str, path: str, window: str) -> dict[str, Any]:
        return {
            "input_files": [upload],
            "endpoint": f"/v1{path}",
            "model": self._client.session.config.model.model_name,
            "timeout_hours": whole_hours(self._engine, window),
            "metadata": {TAG: tag},
        }

    def _is_queue_full(self, error: OumiError) -> bool:
        """Waiting requests are counted by workspace, and more than it may have get a 429."""
        return getattr(error, "status", None) == 429

    def _read(self, reply: Any) -> ApiBatch:
        """A job, its fields renamed to OpenAI's."""
        raw = read_object(reply)
        return super()._read(
            {
                **raw,
                "input_file_id": next(iter(_files(raw)), ""),
                "output_file_id": raw.get("output_file"),
                "error_file_id": raw.get("error_file"),
                "in_progress_at": raw.get("started_at"),
                "request_counts": {
                    "total": raw.get("total_requests"),
                    "completed": raw.get("succeeded_requests"),
                    "failed": raw.get("failed_requests"),
                },
            }
        )


def open_api(client: ApiClient, engine: str) -> MistralBatches:
    """The batch API, called through a client."""
    return MistralBatches(client, engine)


def _files(raw: Mapping[str, Any]) -> list[str]:
    """The ids of the files that a job was made of."""
    files = raw.get("input_files")
    return [str(file) for file in files] if isinstance(files, list) else []
