"""Requests to an API besides those for answers: JSON there and back, files up and down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from oumi.backends.remote.auth import Auth
from oumi.backends.remote.errors import BadReplyError
from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.key_mask import find_mask
from oumi.backends.remote.http.lines import LineSplitter
from oumi.backends.remote.http.uploads import Body, Form, Lines
from oumi.backends.remote.session import RemoteSession
from oumi.backends.remote.wrong_place import decode_unless_page
from oumi.core.json_text import read_json_leniently, write_json
from oumi.core.logs import logger
from oumi.runner.limits.retry import retrying

_FILE_TIMEOUT_S = 3600.0  # a batch's file may be 500 MB long
_KEPT_OF_LONG_LINE = 1 << 16  # it tells which row the line is of
_MAX_FILE_BYTES = 1 << 36  # 64 GiB: 100,000 requests, the most of any batch, with 640 KiB for each


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Sends to the API of a session, with its key and its timeouts."""

    session: RemoteSession
    base: str = ""
    """The base that paths are below, where it is not the session's."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """The headers of each call, where they are not the session's."""
    auth: Auth | None = field(default=None, repr=False)
    """Signs each call, where the session does not."""

    def at(
        self, base: str, headers: Mapping[str, str] | None = None, auth: Auth | None = None
    ) -> ApiClient:
        """A client for paths below another base, with other headers and another signature if any
        are given.
        """
        return replace(self, base=base, headers=headers or self.headers, auth=auth or self.auth)

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

    async def exchange(
        self,
        path: str,
        body: Body,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        signed: bool = False,
    ) -> Reply:
        """Send a body with further headers, once, and return the reply as it came.

        A `signed` path is a whole URL that opens by itself: no key is sent there.
        """
        longest_s = self.session.timeout_s if isinstance(body, bytes) else _FILE_TIMEOUT_S
        if signed:
            call = self._signed_call(method, path, body, headers, longest_s)
        else:
            call = await self._call(method, path, body, longest_s, headers)
        reply = await self.session.transport().send(call)
        self.session.check(reply, call)
        return reply

    async def delete(self, path: str) -> None:
        """Delete what stands at a path."""
        await self._send("DELETE", path, b"")

    async def lines(self, path: str, *, signed: bool = False) -> AsyncGenerator[bytes]:
        """The lines of a file, as they arrive, without keys. Not retried: the caller may have used
        some. One line is in memory, which may be as long as a reply.

        A `signed` path is a whole URL that opens by itself: no key is sent there. A line that is
        too long is cut off, so that it is no JSON any more. Raises RequestError for a file that is
        too long.
        """
        timeout_s = max(self.session.timeout_s, _FILE_TIMEOUT_S)
        if signed:
            call = self._signed_call("GET", path, b"", {}, timeout_s)
        else:
            call = await self._call("GET", path, b"", timeout_s)
        mask = find_mask(call.headers or self.session.headers, self._url(""))
        async for line in self._read_lines(call._replace(max_reply_bytes=_MAX_FILE_BYTES)):
            if line.strip():
                yield mask.mask(self._cut(line))

    async def _read_lines(self, call: Call) -> AsyncGenerator[bytes]:
        lines = LineSplitter(self.session.remote.max_reply_bytes)
        async with aclosing(self.session.transport().stream(call)) as parts:
            async for part in parts:
                if isinstance(part, Head):
                    self.session.check(part, call)
                    continue
                for line in lines.feed(part):
                    yield line
        yield lines.last()

    def _cut(self, line: bytes) -> bytes:
        most = self.session.remote.max_reply_bytes
        if len(line) <= most:
            return line
        logger.warning(
            "%s: a line of a file is longer than the %s bytes that remote_params.max_reply_bytes "
            "allows, and cut off",
            self.session.name,
            f"{most:,}",
        )
        return line[: min(most, _KEPT_OF_LONG_LINE)]

    async def _send(self, method: str, path: str, body: Body) -> Any:
        longest_s = 0.0 if isinstance(body, bytes) else _FILE_TIMEOUT_S
        call = await self._call(method, path, body, max(self.session.timeout_s, longest_s))
        reply = await self.session.transport().send(call)
        self.session.check(reply, call)
        return decode_unless_page(_read, reply.headers, reply.body)

    def _signed_call(
        self, method: str, url: str, body: Body, headers: Mapping[str, str], timeout_s: float
    ) -> Call:
        most = self.session.remote.max_reply_bytes
        return Call(method, url, headers, body, timeout_s, most)

    async def _call(
        self,
        method: str,
        path: str,
        body: Body,
        timeout_s: float,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Call:
        headers = {**(self.headers or self.session.headers), **more}
        if isinstance(body, Form):
            headers.pop("content-type", None)  # a form has its own
        most = self.session.remote.max_reply_bytes
        call = Call(method, self._url(path), headers, body, timeout_s, most)
        return await (self.session.signed(call) if self.auth is None else self.auth.apply(call))

    def _url(self, path: str) -> str:
        address = self.session.address
        address.check_is_base()
        return address.url(self.base or address.bases[0], path)


def _read(body: bytes) -> Any:
    try:
        return read_json_leniently(body)
    except ValueError as error:
        shown = body[:200].decode(errors="replace")
        raise BadReplyError(f"a reply that is not JSON: {shown!r}", body) from error
