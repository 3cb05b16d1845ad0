"""The ASGI app: which path is answered by what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oumi.server.accounts.accounts import Accounts
from oumi.server.anthropic import MessagesApi
from oumi.server.anthropic.counting import TokenCounting
from oumi.server.anthropic.errors import ANTHROPIC_ERRORS
from oumi.server.batches.answering import Answering
from oumi.server.batches.batch_handlers import BatchHandlers
from oumi.server.batches.embedding import EmbeddingBatches
from oumi.server.batches.endpoint import BatchEndpoint
from oumi.server.batches.file_handlers import FileHandlers
from oumi.server.batches.service import BatchService
from oumi.server.completions import CompletionsApi
from oumi.server.docs_page import docs_page
from oumi.server.embeddings.handler import Embedding
from oumi.server.generating import Generating
from oumi.server.http.direct_paths import DirectPaths
from oumi.server.http.endpoint import Endpoint, ErrorForm, Handler, HttpRules
from oumi.server.http.errors import HttpError
from oumi.server.http.exchange import Exchange
from oumi.server.http.ids import request_id_of
from oumi.server.metrics import Metrics
from oumi.server.model_list import ModelList
from oumi.server.openai_chat import ChatApi
from oumi.server.openai_errors import OPENAI_ERRORS, error_body
from oumi.server.options import ServeOptions
from oumi.server.query import Api
from oumi.server.responses import ResponsesApi

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from oumi.server.models import ModelTable

APIS: dict[str, Api] = {
    "/v1/chat/completions": ChatApi(),
    "/v1/completions": CompletionsApi(),
    "/v1/messages": MessagesApi(),
    "/v1/responses": ResponsesApi(),
}
"""The paths of the APIs that generate."""

_BATCHED: dict[str, BatchEndpoint] = {
    "/v1/chat/completions": Answering(APIS["/v1/chat/completions"]),
    "/v1/completions": Answering(APIS["/v1/completions"]),
    "/v1/embeddings": EmbeddingBatches(),
}
"""The paths whose requests a batch may hold."""

_PAGE_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
)


class Server:
    """What all endpoints of a running server share."""

    def __init__(self, models: ModelTable, options: ServeOptions, accounts: Accounts):
        self.models = models
        self._accounts = accounts
        self.batches = BatchService(models, _BATCHED)
        self.is_draining = False
        self._options = options
        self._metrics = Metrics()
        self._metrics.watch(models, accounts)
        self._rules = HttpRules(
            options.keys, options.max_body_bytes, options.cors, self._metrics.request_ended
        )

    def app(self) -> ASGIApp:
        """The ASGI app."""
        generating = [
            self._route(path, "POST", self._generating(api), api.errors)
            for path, api in APIS.items()
        ]
        routed = Starlette(
            routes=self._routes(generating), exception_handlers={404: _refuse, 405: _refuse}
        )
        direct = DirectPaths({route.path: route.app for route in generating}, routed)
        return _with_cors(direct, self._options.cors)

    def _generating(self, api: Api) -> Generating:
        return Generating(api, self.models, self._metrics, self._accounts)

    def _routes(self, generating: list[Route]) -> list[Route]:
        listed, counting = ModelList(self.models), TokenCounting(self.models)
        embedding = Embedding(self.models, self._metrics, self._accounts)
        return [
            *generating,
            self._route("/v1/messages/count_tokens", "POST", counting, ANTHROPIC_ERRORS),
            self._route("/v1/embeddings", "POST", embedding),
            self._route("/v1/models", "GET", listed.all),
            self._route("/v1/models/{name:path}", "GET", listed.one),
            *self._batch_routes(),
            self._route("/health", "GET", _health, is_open=True),
            self._route("/ready", "GET", self._ready, is_open=True),
            self._route("/metrics", "GET", self._show_metrics),
            self._route("/docs", "GET", self._show_docs, is_open=True),
        ]

    def _batch_routes(self) -> list[Route]:
        files, batches = (
            FileHandlers(self.batches.files),
            BatchHandlers(self.batches, self._accounts),
        )
        return [
            self._route("/v1/files", "POST", files.upload),
            self._route("/v1/files", "GET", files.all),
            self._route("/v1/files/{id}", "GET", files.one),
            self._route("/v1/files/{id}", "DELETE", files.remove),
            self._route("/v1/files/{id}/content", "GET", files.content),
            self._route("/v1/batches", "POST", batches.create),
            self._route("/v1/batches", "GET", batches.all),
            self._route("/v1/batches/{id}", "GET", batches.one),
            self._route("/v1/batches/{id}/cancel", "POST", batches.cancel),
        ]

    def _route(
        self,
        path: str,
        method: str,
        handler: Handler,
        errors: ErrorForm = OPENAI_ERRORS,
        *,
        is_open: bool = False,
    ) -> Route:
        endpoint = Endpoint(path, handler, errors, self._rules, is_open=is_open)
        return Route(path, endpoint, methods=[method])

    async def _ready(self, exchange: Exchange) -> None:
        """Whether new requests are taken: for load balancers."""
        if self.is_draining:
            raise HttpError(503, "the server is stopping", wait_s=1.0)
        await exchange.reply(200, b'{"status":"ready"}')

    async def _show_metrics(self, exchange: Exchange) -> None:
        headers = [(b"content-type", Metrics.content_type)]
        await exchange.reply(200, self._metrics.text(), headers)

    async def _show_docs(self, exchange: Exchange) -> None:
        url = f"{exchange.scope['scheme']}://{exchange.header(b'host') or self._options.host}"
        # Who has no key need not know what is served.
        names = [] if self._options.keys else [model.name for model in self.models]
        page = docs_page(url, names)
        await exchange.reply(200, page, _PAGE_HEADERS)


async def _health(exchange: Exchange) -> None:
    """Whether the process answers at all."""
    await exchange.reply(200, b'{"status":"ok"}')


def _with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Pages of these origins may ask, in a browser. None may unless it is named."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=["x-request-id", "x-oumi-model", "x-oumi-cache"],
    )


async def _refuse(request: Request, error: Exception) -> Response:
    """What is said of a path that is not there, or is asked in another way."""
    assert isinstance(error, HTTPException)  # noqa: S101  for the type checker
    said = {
        404: f"no endpoint {request.url.path}",
        405: f"{request.url.path} takes no {request.method}",
    }
    found = HttpError(error.status_code, said[error.status_code])
    request_id = request_id_of(request.headers.get("x-request-id"))
    body = error_body(found, request_id)
    headers: dict[str, Any] = {**(error.headers or {}), "x-request-id": request_id}
    return Response(body, error.status_code, headers, "application/json")
