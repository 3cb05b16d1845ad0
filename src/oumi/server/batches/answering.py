"""Batches of the APIs that generate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oumi.core.configs import GenerationParams, InferenceConfig, RemoteParams
from oumi.core.json_text import parse_json
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.core.types.result import InferenceResult
from oumi.errors import UnsupportedError
from oumi.server.batches.endpoint import ResultLines, error_line, line_of
from oumi.server.batches.requests import read_rows
from oumi.server.http.errors import wrong_field
from oumi.server.query import Answer, Api, Query, check_media, in_words_of

if TYPE_CHECKING:
    from oumi.server.models import Model

_OF_ANSWER = ("usage", "finish_reason", "logprobs")


class Answering:
    """Has requests of an API answered by a batch job of the engine."""

    def __init__(self, api: Api):
        self._api = api

    def read(self, body: bytes) -> Query:
        """The query in the body of a line. Raises HttpError, which names the field."""
        query = self._api.read(body)
        if query.stream:
            raise wrong_field("stream", "answers of a batch are whole")
        if query.samples != 1:
            raise wrong_field("n", "each line of a batch has one answer")
        if query.further:
            raise wrong_field("prompt", "each line of a batch has one prompt")
        check_media(query.conversation, allows_files=False)
        return query

    def check(self, model: Model, query: Query) -> None:
        """Raise HttpError for settings that the model's engine cannot honour."""
        model.session_for(query)

    async def submit(self, model: Model, query: Query, path: Path, window: str) -> str:
        """The id of the new job. Raises HttpError for what the engine's batches do not take."""
        own = InferenceConfig(
            generation=GenerationParams(**query.settings),
            remote_params=RemoteParams(batch_completion_window=window),
            input_path=str(path),
        )
        try:
            return await model.engine.ainfer_batch(None, model.job_config.merge(own))
        except UnsupportedError as error:
            raise in_words_of(query, str(error)) from error

    async def results(self, model: Model, job_id: str, path: Path) -> ResultLines:
        """The answers, and why there are no others."""
        result = await model.engine.aget_batch_results_partial(
            job_id, inference_config=model.job_config
        )
        ids = await asyncio.to_thread(lambda: [custom_id for custom_id, _ in read_rows(path)])
        errors = (error_line(ids[int(row)], result.failures[row]) for row in result.failures)
        return ResultLines(self._answer_lines(result, ids, model.name), errors)

    def _answer_lines(
        self, result: InferenceResult, ids: Sequence[str], model: str
    ) -> Iterator[bytes]:
        for row, conversation in zip(result.rows, result.conversations, strict=True):
            query = Query(model, conversation, facts=conversation.metadata)
            body = self._api.reply(query, Answer(model, [_completion(conversation)]))
            yield line_of(ids[row], 200, parse_json(body))


def _completion(conversation: Conversation) -> Completion:
    """The answer, from its message and from what the conversation says of it."""
    facts = conversation.metadata
    message = conversation.messages[-1].to_dict()
    kept: dict[str, Any] = {name: facts[name] for name in _OF_ANSWER if name in facts}
    return Completion.from_dict({"message": message, **kept})
