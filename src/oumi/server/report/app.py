"""The page of a live run, and what it asks for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.routing import Route

from oumi.core.json_text import write_json
from oumi.report.live.live_run import LiveRun, OutdatedError
from oumi.report.live.query import parse_query
from oumi.report.page_file import served_page
from oumi.server.http.api_keys import ApiKeys
from oumi.server.http.endpoint import Endpoint, HttpRules
from oumi.server.http.errors import HttpError, wrong_field
from oumi.server.http.exchange import JSON, Exchange
from oumi.server.openai_errors import OPENAI_ERRORS

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_HTML = (b"content-type", b"text/html; charset=utf-8")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_MOST_ROWS = 200
"""Of one request: more than fit on a screen."""
_NUMBER = re.compile(r"\d{1,15}")


class ReportApp:
    """Answers one page, or several, about one run. Reading goes on beside the event loop."""

    def __init__(self, run: LiveRun):
        self._run = run
        self._page = served_page(run.name)
        # As `oumi serve` without keys: whatever runs on this machine may ask, but no web page.
        self._rules = HttpRules(ApiKeys({}), 0, (), lambda *_: None)

    def app(self) -> ASGIApp:
        """The ASGI app."""
        return Starlette(
            routes=[
                self._route("/", self._show_page),
                self._route("/state", self._answer(self._state)),
                self._route("/rows", self._answer(self._rows)),
                self._route("/place", self._answer(self._place)),
                self._route("/select", self._answer(self._select)),
            ]
        )

    def _route(self, path: str, handler: Any) -> Route:
        return Route(path, Endpoint(path, handler, OPENAI_ERRORS, self._rules), methods=["GET"])

    async def _show_page(self, exchange: Exchange) -> None:
        await exchange.reply(200, self._page, (_HTML, *_HEADERS))

    def _answer(self, find: Callable[[_Parameters], Any]) -> Any:
        """A handler that sends what is found in another thread as JSON."""

        async def handle(exchange: Exchange) -> None:
            parameters = _Parameters(exchange)
            try:
                found = await asyncio.to_thread(lambda: write_json(find(parameters)))
            except OutdatedError as error:
                raise HttpError(409, str(error)) from error
            await exchange.reply(200, found, (JSON, *_HEADERS))

        return handle

    def _state(self, given: _Parameters) -> dict[str, Any]:
        return self._run.state(
            given.number("generation"), given.number("replaced"), given.number("version")
        )

    def _rows(self, given: _Parameters) -> list[dict[str, Any]]:
        return self._run.rows(given.number("generation"), given.numbers("places"))

    def _place(self, given: _Parameters) -> int | None:
        return self._run.place_of(given.number("generation"), given.number("row"))

    def _select(self, given: _Parameters) -> dict[str, Any]:
        try:
            query = parse_query(given.text("query"))
        except ValueError as error:
            raise wrong_field("query", str(error)) from error
        return self._run.select(given.number("generation"), query, given.number("start"))


class _Parameters:
    """Those of a request, in its address. Raises HttpError for one that is missing or wrong."""

    def __init__(self, exchange: Exchange):
        self._found = parse_qs(exchange.scope["query_string"].decode("latin-1"))

    def text(self, name: str) -> str:
        """The last one of a name."""
        if name not in self._found:
            raise wrong_field(name, "missing")
        found: str = self._found[name][-1]
        return found

    def number(self, name: str) -> int:
        """A whole number from 0 on."""
        return _number(name, self.text(name))

    def numbers(self, name: str) -> list[int]:
        """Some of them, with commas between them."""
        return [_number(name, text) for text in self.text(name).split(",")[:_MOST_ROWS]]


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise wrong_field(name, f"{text[:100]!r} is no whole number")
    return int(text)
