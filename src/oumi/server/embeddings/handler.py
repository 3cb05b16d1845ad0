"""The handler of `/v1/embeddings`."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from oumi.core.types.embedding import Embeddings
from oumi.core.types.usage import Usage
from oumi.errors import ContextLengthError
from oumi.runner.embedding_call import embed_texts
from oumi.runner.embedding_request import EmbeddingRequest
from oumi.runner.limits.budget import Budget
from oumi.runner.session import Session
from oumi.server.accounts.accounts import Accounts
from oumi.server.embeddings.reply import encode_reply
from oumi.server.embeddings.request import EmbeddingQuery, read_query
from oumi.server.embeddings.sessions import embedding_session
from oumi.server.generating import model_header
from oumi.server.http.errors import HttpError
from oumi.server.http.exchange import JSON, Exchange
from oumi.server.metrics import Metrics

if TYPE_CHECKING:
    from oumi.server.models import Model, ModelTable

_MOST_SESSIONS = 64
"""Models, by the lengths of their vectors that clients ask for."""


class Embedding:
    """Embeds texts by the models of a server. None answers in place of another: their vectors have
    nothing to do with each other.
    """

    def __init__(self, models: ModelTable, metrics: Metrics, accounts: Accounts):
        self._models = models
        self._metrics = metrics
        self._accounts = accounts
        self._session = lru_cache(_MOST_SESSIONS)(_make_session)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        query = read_query(await exchange.read_body())
        model = self._models.find(query.model)
        session = self._session(model.name, query.dimensions, self._models)
        with exchange.ends_with_client():
            await self._accounts.respond(
                exchange.caller,
                partial(self._respond, exchange, query, model, session),
                partial(_estimate, query, session),
            )

    async def _respond(
        self,
        exchange: Exchange,
        query: EmbeddingQuery,
        model: Model,
        session: Session,
        budget: Budget | None,
    ) -> Usage:
        """Send the vectors, and return what they took."""
        found = await _embed(model, session, query, budget)
        self._metrics.answered(model, exchange.caller, found.usage)
        body = encode_reply(model.name, found, is_base64=query.is_base64)
        await exchange.reply(200, body, (JSON, model_header(model.name)))
        return found.usage


async def _estimate(query: EmbeddingQuery, session: Session) -> tuple[int, int]:
    return EmbeddingRequest(query.texts, session.config).expected_tokens, 0


async def _embed(
    model: Model, session: Session, query: EmbeddingQuery, budget: Budget | None
) -> Embeddings:
    try:
        with model.admission.admit():
            return await embed_texts(session, query.texts, budget)
    except ContextLengthError as error:
        code = "context_length_exceeded"
        raise HttpError(400, str(error), code=code, param="input") from error


def _make_session(name: str, dimensions: int | None, models: ModelTable) -> Session:
    return embedding_session(models.find(name), dimensions)
