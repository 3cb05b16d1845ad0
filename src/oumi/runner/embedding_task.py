"""Several rows on their way to their embeddings, by one request.

    keys ─► recorded, or in the cache ─► limiter.acquire ─► session.embed ─► store.append ─► done

A request that is refused is made again in two halves, so that what is wrong with a row fails it
alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from oumi.core.types.embedding import Embedding, Embeddings
from oumi.core.types.failure import Failure
from oumi.data.source import Row
from oumi.errors import OVERLOADED, OumiError, UnavailableError
from oumi.runner.embedding_request import EmbeddingRequest, split_usage, text_of
from oumi.runner.events import RowDone, RowFailed
from oumi.runner.request import NO_KEY
from oumi.runner.row_context import RowContext
from oumi.runner.row_requests import RowRequests
from oumi.runner.session import Session
from oumi.runner.stop_signal import RunStoppedError
from oumi.runner.storage.row_store import RowStore


class _Text(NamedTuple):
    """What is asked of a row."""

    row: int
    key: str
    text: str


class EmbeddingTask:
    """Owns all that a row and those asked together with it go through.

    `further` takes these from the queue. `context` is shared by the rows of a run; it hears of what
    becomes of them, and of each retry.
    """

    def __init__(
        self,
        session: Session,
        row: Row,
        further: Callable[[], Awaitable[Sequence[Row]]],
        store: RowStore,
        context: RowContext,
    ):
        self._session = session
        self._row = row
        self._further = further
        self._store = store
        self._context = context
        self._requests = RowRequests(row.index, context)
        self._outcomes: dict[int, RowDone | RowFailed] = {}

    async def run(self) -> RowDone | RowFailed:
        """Ask until each row has its vector or has failed; either way it is recorded. What became
        of the first one is returned, what became of the others notified.

        Raises RunStoppedError, and errors after which no other row can succeed.
        """
        rows = [self._row, *await self._further()]
        texts = [text for row in rows if (text := self._text(row)) is not None]
        try:
            await self._embed([text for text in texts if not self._take_cached(text)])
        finally:
            first = self._outcomes.pop(self._row.index, None)
            for outcome in self._outcomes.values():
                self._context.notify(outcome)
        assert first is not None  # noqa: S101  for the type checker
        return first

    def _text(self, row: Row) -> _Text | None:
        """What is asked of a row; None for one that has failed by now."""
        try:
            if row.conversation is None:
                raise row.error or ValueError("a row without a text")
            text = text_of(row.conversation)
            key = self._session.keys.key(row.conversation)
        except Exception as error:  # whatever is wrong with a row, the others go on
            self._fail(_Text(row.index, NO_KEY, ""), error)
            return None
        return _Text(row.index, key, text)

    def _take_cached(self, text: _Text) -> bool:
        """Whether the cache has the vector of a text, which is recorded then."""
        cache = self._context.cache
        found = None if cache is None else cache.get(text.key, 0)
        if not isinstance(found, Embedding):
            return False
        self._record(text, found)
        return True

    async def _embed(self, texts: Sequence[_Text]) -> None:
        """Have each text embedded and recorded, or its row fail."""
        if not texts:
            return
        request = EmbeddingRequest([text.text for text in texts], self._session.config)

        def record(found: Embeddings) -> Embeddings:
            usages = split_usage(found.usage, request.texts)
            for text, vector, usage in zip(texts, found.vectors, usages, strict=True):
                self._record(text, Embedding(vector, usage))
            return found

        try:
            await self._requests.embed(self._session, request, record)
        except RunStoppedError:
            raise
        except Exception as error:
            self._check_is_of_rows(error, is_one=len(texts) == 1)
            if len(texts) == 1 or not _may_be_of_one(error):
                for text in texts:
                    self._fail(text, error)
                return
            middle = len(texts) // 2
            await self._embed(texts[:middle])
            await self._embed(texts[middle:])
        else:
            self._context.refusals.row_done()

    def _check_is_of_rows(self, error: Exception, *, is_one: bool) -> None:
        """Raise the error of a request after which no other row can succeed. What is said of
        several texts, and may be about one of them, tells nothing of that.
        """
        if not (is_one or (isinstance(error, OumiError) and error.ends_run)):
            return
        fatal = self._context.refusals.error_of_run(error)
        if fatal is error:
            raise fatal
        if fatal is not None:
            raise fatal from error

    def _record(self, text: _Text, embedding: Embedding) -> None:
        times = self._requests.times()
        self._store.append(text.row, text.key, embedding, **times)
        cache = self._context.cache
        if cache is not None and not embedding.from_cache:
            cache.put(text.key, 0, embedding)
        self._outcomes[text.row] = RowDone(text.row, embedding, **times)

    def _fail(self, text: _Text, error: Exception) -> None:
        failure = Failure.from_error(error, max(self._requests.attempts, 1))
        times = self._requests.times()
        self._store.append_failure(text.row, text.key, failure, **times)
        self._outcomes[text.row] = RowFailed(text.row, failure, **times)


def _may_be_of_one(error: Exception) -> bool:
    """Whether the texts of a request may be to blame, and not the server as a whole."""
    if not isinstance(error, UnavailableError):
        return True
    return error.status is not None and error.status not in OVERLOADED
