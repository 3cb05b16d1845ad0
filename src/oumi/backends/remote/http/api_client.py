"""Requests to an API besides those for answers: JSON there and back, files up and down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError
from oumi.backends.remote.http.transport import Call, Head, Reply, Transport
from oumi.backends.remote.http.uploads import Body, Form, Lines
from oumi.backends.remote.session import Way
from oumi.runner.limits.retry import RetryPolicy, retrying

_FILE_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class ApiClient:
    """The way to one API, with what sends. `check` raises what a reply other than 200 means."""

    way: Way
    transport: Transport
    policy: RetryPolicy
    check: Callable[[Reply], None]
    base: str = ""
    """What paths follow, where it is not the way's."""

    def at(self, base: str) -> ApiClient:
        """The same, with paths that follow another base."""
        return replace(self, base=base)

    async def get(self, path: str) -> Any:
        """What stands at a path, asked for again as the settings allow."""
        return await retrying(lambda: self._send("GET", path, b""), self.policy)

    async def post(self, path: str, value: Mapping[str, Any]) -> Any:
        """Hand a value in, once: whether it may be handed in again is the caller's to know."""
        return await self._send("POST", path, orjson.dumps(value))

    async def post_lines(self, path: str, lines: Lines) -> Any:
        """Hand the lines of a file in, once, which is read as it goes out."""
        return await self._send("POST", path, lines)

    async def upload(self, path: str, fields: Mapping[str, str], file: Path, name: str) -> Any:
        """Hand a file in, which is read as it goes out; tried again as the settings allow."""
        form = Form(fields, file, name)
        return await retrying(lambda: self._send("POST", path, form), self.policy)

    async def delete(self, path: str) -> None:
        """Do away with what stands at a path."""
        await self._send("DELETE", path, b"")

    async def lines(self, path: str, *, signed: bool = False) -> AsyncGenerator[bytes]:
        """The lines of a file, as they come in. Not tried again: some may have been taken up.

        A `signed` path is a whole URL that opens by itself: no key goes there.
        """
        timeout_s = max(self.way.timeout_s, _FILE_TIMEOUT_S)
        if signed:
            call = Call("GET", path, {}, b"", timeout_s)
        else:
            call = await self._call("GET", path, b"", timeout_s)
        rest: list[bytes] = []
        async with aclosing(self.transport.stream(call)) as parts:
            async for part in parts:
                if isinstance(part, Head):
                    self.check(part)
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
        call = await self._call(method, path, body, max(self.way.timeout_s, longest_s))
        reply = await self.transport.send(call)
        self.check(reply)
        try:
            return orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            shown = reply.body[:200].decode(errors="replace")
            raise BadReplyError(f"a reply that is not JSON: {shown!r}") from error

    async def _call(self, method: str, path: str, body: Body, timeout_s: float) -> Call:
        headers = dict(self.way.headers)
        if isinstance(body, Form):
            headers.pop("content-type", None)  # a form has its own
        url = (self.base or self.way.address.bases[0]) + path
        return await self.way.signed(Call(method, url, headers, body, timeout_s))
