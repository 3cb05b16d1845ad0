"""Texts in, vectors out, without a run around it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from oumi.core.types.embedding import Embeddings
from oumi.core.types.usage import sum_of
from oumi.core.waiting import all_of
from oumi.runner.embedding_request import EmbeddingRequest
from oumi.runner.limits.budget import Budget
from oumi.runner.row_context import RowContext
from oumi.runner.row_requests import RowRequests
from oumi.runner.session import Session


async def embed_texts(
    session: Session, texts: Sequence[str], budget: Budget | None = None
) -> Embeddings:
    """The vectors of texts, by as many requests as it takes, within the limits of the session, its
    retries and a budget. Raises the error for which one of them has none.
    """
    size = session.texts_per_request
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]
    found = await all_of(_embed(session, part, budget) for part in parts)
    vectors = list(chain.from_iterable(part.vectors for part in found))
    return Embeddings(vectors, sum_of(part.usage for part in found))


async def _embed(session: Session, texts: Sequence[str], budget: Budget | None) -> Embeddings:
    requests = RowRequests(0, RowContext(budget=budget))
    return await requests.embed(session, EmbeddingRequest(texts, session.config), _as_is)


def _as_is(found: Embeddings) -> Embeddings:
    return found
