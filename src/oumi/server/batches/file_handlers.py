"""The handlers of `/v1/files`.

https://platform.openai.com/docs/api-reference/files
"""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from oumi.core.json_text import write_json
from oumi.runner.storage.atomic import atomic_file
from oumi.server.batches.folder import Folder
from oumi.server.batches.pages import page_of
from oumi.server.batches.records import FileRecord
from oumi.server.http.errors import HttpError, wrong_field
from oumi.server.http.exchange import Exchange

_MOST_BYTES = 200 * 1024 * 1024
"""As many as OpenAI takes of a batch's input."""
_PART_BYTES = 256 * 1024
_KEPT = "The file is not kept; upload it again"
_CONTENT = ((b"content-type", b"application/octet-stream"),)


class FileHandlers:
    """Uploads, lists and downloads."""

    def __init__(self, files: Folder[FileRecord]):
        self._files = files

    async def upload(self, exchange: Exchange) -> None:
        """Keep a file of requests."""
        request = Request(exchange.scope, exchange.receive_at_most(_MOST_BYTES))
        try:
            async with request.form(max_files=1, max_fields=8) as form:
                upload = _read_form(form)
                record = await asyncio.to_thread(self._keep, upload, exchange.caller)
        except HTTPException as error:
            raise HttpError(400, error.detail) from None
        await exchange.reply(200, write_json(record.to_dict()))

    async def all(self, exchange: Exchange) -> None:
        """The files, the newest first."""
        records = await asyncio.to_thread(lambda: list(self._files.all()))
        own = [record for record in records if record.owner == exchange.caller]
        page = page_of(own, exchange)
        await exchange.reply(200, write_json(page.to_dict([r.to_dict() for r in page.items])))

    async def one(self, exchange: Exchange) -> None:
        """A file's facts."""
        record = await self._find(exchange)
        await exchange.reply(200, write_json(record.to_dict()))

    async def content(self, exchange: Exchange) -> None:
        """A file's content."""
        record = await self._find(exchange)
        with self._files.content_path(record.id).open("rb") as file:
            length = (b"content-length", str(record.bytes).encode())
            await exchange.begin_stream((*_CONTENT, length))
            while part := await asyncio.to_thread(file.read, _PART_BYTES):
                await exchange.send_part(part)
            await exchange.end_stream()

    async def remove(self, exchange: Exchange) -> None:
        """Remove a file. Batches that were made of it go on."""
        record = await self._find(exchange)
        await asyncio.to_thread(self._files.remove, record.id)
        gone = {"id": record.id, "object": "file", "deleted": True}
        await exchange.reply(200, write_json(gone))

    async def _find(self, exchange: Exchange) -> FileRecord:
        file_id = exchange.scope["path_params"]["id"]
        return await asyncio.to_thread(self._files.find, file_id, exchange.caller)

    def _keep(self, upload: UploadFile, owner: str) -> FileRecord:
        file_id = f"file-{uuid.uuid4().hex}"
        path = self._files.content_path(file_id)
        self._files.make()
        with atomic_file(path, _KEPT) as file:
            shutil.copyfileobj(upload.file, file)
        record = FileRecord(
            id=file_id,
            owner=owner,
            created_at=int(time.time()),
            filename=upload.filename or "upload.jsonl",
            purpose="batch",
            bytes=path.stat().st_size,
        )
        self._files.save(record)
        return record


def _read_form(form: FormData) -> UploadFile:
    """The file of a form. Raises HttpError."""
    for name in form:
        if name not in ("file", "purpose"):
            raise wrong_field(name, "it is not supported here")
    if form.get("purpose") != "batch":
        raise wrong_field("purpose", "files are for batches here: expected batch")
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise wrong_field("file", "expected a file")
    return upload
