"""Requests to an API besides those for answers: JSON there and back, files up and down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError
from oumi.backends.remote.http.transport import Call, Head
from oumi.backends.remote.http.uploads import Body, Form, Lines
from oumi.backends.remote.session import RemoteSession
from oumi.core.json_text import write_json
from oumi.runner.limits.retry import retrying

_FILE_TIMEOUT_S = 3600.0  # a batch's file may be 500 MB long


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Sends to the API of a session, with its key and its timeouts."""

    session: RemoteSession
    base: str = ""
    """The base that paths are below, where it is not the session's."""

    def at(self, base: str) -> ApiClient:
        """A client for paths below another base."""
        return replace(self, base=base)

    async def get(self, path: str) -> Any:
        """What stands at a path. A failed try is made again as the settings allow."""
        return await retrying(lambda: self._send("GET", path, b""), self.session.retry_policy)

    async def post(self, path: str, value: Mapping[str, Any]) -> Any:
        """Post a value, once: only the caller knows whether it may be posted again."""
        return await self._send("POST", path, write_json(value))

    async def post_lines(self, path: str, lines: Lines) -> Any:
        """Post the lines of a file, once; the file is read as it is sent."""
        return await self._send("POST", path, lines)

    async def upload(self, path: str, fields: Mapping[str, str], file: Path, name: str) -> Any:
        """Upload a file, which is read as it is sent. Retried as the settings allow."""
        form = Form(fields, file, name)
        return await retrying(lambda: self._send("POST", path, form), self.session.retry_policy)

    async def delete(self, path: str) -> None:
        """Delete what stands at a path."""
        await self._send("DELETE", path, b"")

    async def lines(self, path: str, *, signed: bool = False) -> AsyncGenerator[bytes]:
        """The lines of a file, as they arrive. Not retried: the caller may have used some.

        A `signed` path is a whole URL that opens by itself: no key is sent there.
        """
        timeout_s = max(self.session.timeout_s, _FILE_TIMEOUT_S)
        if signed:
            call = Call("GET", path, {}, b"", timeout_s)
        else:
            call = await self._call("GET", path, b"", timeout_s)
        rest: list[bytes] = []
        async with aclosing(self.session.transport().stream(call)) as parts:
            async for part in parts:
                if isinstance(part, Head):
                    self.session.check(part)
                    continue
                first, *others = part.split(b"\n")
                rest.append(first)
                for other in others:
                    if (line := b"".join(rest)).strip():
                        yield line
                    rest = [other]
        if (line := b"".join(rest)).strip():
            yield line

    async def _send(self, method: str, path: str, body: Body) -> Any:
        longest_s = 0.0 if isinstance(body, bytes) else _FILE_TIMEOUT_S
        call = await self._call(method, path, body, max(self.session.timeout_s, longest_s))
        reply = await self.session.transport().send(call)
        self.session.check(reply)
        try:
            return orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            shown = reply.body[:200].decode(errors="replace")
            raise BadReplyError(f"a reply that is not JSON: {shown!r}") from error

    async def _call(self, method: str, path: str, body: Body, timeout_s: float) -> Call:
        headers = dict(self.session.headers)
        if isinstance(body, Form):
            headers.pop("content-type", None)  # a form has its own
        url = (self.base or self.session.address.bases[0]) + path
        return await self.session.signed(Call(method, url, headers, body, timeout_s))
