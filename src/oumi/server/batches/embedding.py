"""Batches of embeddings. This machine works them off, whatever batches the engine's API has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oumi.batch.local.embeddings import read_embeddings
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.json_text import parse_json
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.core.types.embedding import Embedding, Embeddings
from oumi.core.types.failure import Failure
from oumi.core.types.usage import sum_of
from oumi.server.batches.endpoint import ResultLines, error_line, line_of
from oumi.server.batches.requests import read_rows
from oumi.server.embeddings.reply import encode_reply
from oumi.server.embeddings.request import read_query
from oumi.server.embeddings.sessions import embedding_params, embedding_session
from oumi.server.query import Query

if TYPE_CHECKING:
    from oumi.server.models import Model

_DIMENSIONS, _BASE64 = "dimensions", "base64"


class _Line(NamedTuple):
    """A line, and what became of each of its texts."""

    custom_id: str
    is_base64: bool
    outcomes: Sequence[Embedding | Failure]


class EmbeddingBatches:
    """Has the texts of requests embedded by a job on this machine, each as a row of its own."""

    def read(self, body: bytes) -> Query:
        """The query in the body of a line. Raises HttpError, which names the field."""
        found = read_query(body)
        first, *further = map(_conversation, found.texts)
        settings = {} if found.dimensions is None else {_DIMENSIONS: found.dimensions}
        facts = {_BASE64: found.is_base64}
        return Query(found.model, first, settings, further=further, facts=facts)

    def check(self, model: Model, query: Query) -> None:
        """Raise HttpError where the model's engine makes no such vectors."""
        embedding_session(model, query.settings.get(_DIMENSIONS))

    async def submit(self, model: Model, query: Query, path: Path, window: str) -> str:
        """The id of the new job."""
        own = InferenceConfig(
            embedding=embedding_params(model, query.settings.get(_DIMENSIONS)),
            remote_params=RemoteParams(batch_completion_window=window),
            input_path=str(path),
        )
        return await model.engine.aembed_batch(model.job_config.merge(own))

    async def results(self, model: Model, job_id: str, path: Path) -> ResultLines:
        """The vectors, and why there are no others."""
        return ResultLines(_answer_lines(model.name, job_id, path), _error_lines(job_id, path))


def _conversation(text: str) -> Conversation:
    return Conversation.of_valid([Message(role=Role.USER, content=text)])


def _lines(job_id: str, path: Path) -> Iterator[_Line]:
    rows = zip(read_rows(path), read_embeddings(job_id), strict=True)
    for (custom_id, facts), same in groupby(rows, key=lambda row: row[0]):
        yield _Line(custom_id, facts[_BASE64], [outcome for _, outcome in same])


def _answer_lines(model: str, job_id: str, path: Path) -> Iterator[bytes]:
    """A line for each request all of whose texts have a vector."""
    for line in _lines(job_id, path):
        found = [one for one in line.outcomes if isinstance(one, Embedding)]
        if len(found) == len(line.outcomes):
            usage = sum_of(one.usage for one in found)
            embeddings = Embeddings([one.vector for one in found], usage)
            body = encode_reply(model, embeddings, is_base64=line.is_base64)
            yield line_of(line.custom_id, 200, parse_json(body))


def _error_lines(job_id: str, path: Path) -> Iterator[bytes]:
    """A line for each other one, with the error of its first text that has none."""
    for line in _lines(job_id, path):
        failure = next((one for one in line.outcomes if isinstance(one, Failure)), None)
        if failure is not None:
            yield error_line(line.custom_id, failure)
