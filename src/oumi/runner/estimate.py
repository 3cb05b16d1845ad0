"""What a run will take, worked out before it: nothing is sent, and nothing is written."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.types.estimate import Range, RunEstimate
from oumi.core.types.usage import Usage, sum_of
from oumi.data.source import Row, Source
from oumi.errors import OumiError, RequestError
from oumi.runner.cost import no_price
from oumi.runner.destination import FileDestination
from oumi.runner.expected_tokens import FEWEST_ANSWERS, Answers, ExpectedTokens
from oumi.runner.limits.budget import most_rows
from oumi.runner.limits.duration import least_duration
from oumi.runner.parts.attempts import find_part
from oumi.runner.parts.destination import recorded_of_part
from oumi.runner.prefill import check_last_message
from oumi.runner.prompt_tokens import PromptTokens
from oumi.runner.request import Request
from oumi.runner.session import Session

_PROMPTS_SHOWN = 3
_PAUSE_ROWS = 256
"""After so many rows, about 10 ms, others on the event loop have their turn."""


async def estimate_run(session: Session, source: Source, total: int) -> RunEstimate:
    """What those of the `total` rows of a source will take that have no answer yet.

    Raises ConfigError and OutputExistsError where the files of the run would take the place of
    others, and StorageError.
    """
    with _recorded_answers(session, source) as recorded:
        estimator = _Estimator(session, recorded, total)
        for row in session.batch_rows(source):
            await estimator.add(row)
            if row.index % _PAUSE_ROWS == 0:
                await asyncio.sleep(0)
    return estimator.result()


def pilot_rows(total: int, count: int) -> frozenset[int]:
    """Rows spread over an input: one at random of each of `count` parts. The same call gives the
    same rows, so that a pilot which is asked again asks nothing.
    """
    parts = min(count, total)
    chosen = random.Random(parts)  # noqa: S311  a seed, so that it is the same each time
    bounds = pairwise(total * part // max(parts, 1) for part in range(parts + 1))
    return frozenset(chosen.randrange(start, end) for start, end in bounds)


class _Recorded(Protocol):
    """The answers of earlier calls."""

    def holds(self, row: int) -> bool:
        """Whether the row has one."""
        ...

    def read(self, row: int) -> Mapping[str, Any]:
        """Its record; empty where that is not known any more."""
        ...


class _NoRecords:
    """Those of a run without a journal: all rows are answered where it is finished, else none."""

    def __init__(self, *, is_finished: bool):
        self._is_finished = is_finished

    def holds(self, row: int) -> bool:
        return self._is_finished

    def read(self, row: int) -> Mapping[str, Any]:
        return {}


@contextmanager
def _recorded_answers(session: Session, source: Source) -> Iterator[_Recorded]:
    path = session.config.output_path
    if (part := find_part(session.config)) is not None:
        with recorded_of_part(session, source, part) as journal:
            yield journal or _NoRecords(is_finished=False)
        return
    if path is None or path == STANDARD_STREAM or not Path(path).parent.is_dir():
        yield _NoRecords(is_finished=False)
        return
    destination = FileDestination(session, source, Path(path))
    with destination.look() as journal:
        yield journal or _NoRecords(is_finished=destination.finished_result() is not None)


class _Estimator:
    """Goes through the rows, and adds up what is left of them."""

    def __init__(self, session: Session, recorded: _Recorded, total: int):
        self._session = session
        self._recorded = recorded
        self._rows = total
        self._answered = sum(map(recorded.holds, range(total)))
        self._allowed = most_rows(session.config) or total  # rows, from the first one
        self._unusable = 0
        self._left = ExpectedTokens()
        self._answers = Answers()
        self._prompts: list[str] = []
        self._counted = True

    async def add(self, row: Row) -> None:
        """Add the next row."""
        is_answered = self._recorded.holds(row.index)
        if not is_answered and row.index >= self._allowed:
            return
        try:
            session, request = self._request(row)
            prompt = await session.count_prompt(request)
        except OumiError as error:
            if error.ends_run:
                raise
            self._unusable += 1  # the run says why when it comes to the row
            return
        self._counted &= prompt.low == prompt.most
        if is_answered:
            self._add_answer(row.index, prompt)
            return
        if len(self._prompts) < _PROMPTS_SHOWN:
            self._prompts.append(await session.render(request))
        self._left.add(row, request, prompt)

    def result(self) -> RunEstimate:
        """What all of them take."""
        session, left = self._session, self._left
        is_narrowed = self._answers.count >= FEWEST_ANSWERS
        if is_narrowed and left.rows:
            left.narrow(
                self._answers, may_repair=session.config.generation.guided_decoding is not None
            )
        limits = session.limiter.limits
        duration = least_duration(limits, left.rows, left.prompt, left.completion)
        price, batch_price = session.price, session.batch_price
        known = price if price is not None and price.is_known else None
        return RunEstimate(
            engine=session.name,
            model=session.config.model.model_name,
            rows=self._rows,
            answered=self._answered,
            unusable=self._unusable,
            left=left.rows,
            prompts=self._prompts,
            prompt_tokens=_whole(left.prompt),
            completion_tokens=_whole(left.completion),
            counted=self._counted,
            sample=self._answers.count if is_narrowed else 0,
            cost_usd=left.cost(known) if known else None,
            cost_note=no_price(price) if price and not known else None,
            batch_cost_usd=left.cost(batch_price) if batch_price and known else None,
            duration_s=duration and duration.seconds,
            duration_limit=duration and duration.setting,
        )

    def _request(self, row: Row) -> tuple[Session, Request]:
        """The request of a row, under its own settings. Raises OumiError for one without."""
        if row.conversation is None:
            raise row.error or RequestError("a row without a conversation")
        session = self._session.for_row(row)
        check_last_message(row.conversation, session.config.generation)
        return session, Request(row.conversation, session.config, shared=row.shared)

    def _add_answer(self, row: int, prompt: PromptTokens) -> None:
        completion = self._recorded.read(row).get("completion")
        if completion is not None:
            answers = (completion, *completion.get("earlier", ()))
            usage = sum_of(Usage.from_dict(answer["usage"]) for answer in answers)
            self._answers.add(prompt, usage)


def _whole(tokens: Range) -> Range:
    return Range(math.floor(tokens.low), math.ceil(tokens.high))
