"""A batch from its beginning to its end by Transformers' `generate`.

For what cannot join or leave a batch: beams, and models that remember more than keys and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from oumi.backends.local.native.continuous_batch import choose, make_inputs
from oumi.backends.local.native.loading import Loaded
from oumi.backends.local.native.sampling import State
from oumi.backends.local.native.sequence import Row
from oumi.core.types.conversation import FinishReason


def answer(loaded: Loaded, rows: Sequence[Row]) -> None:
    """Answer rows of the same settings."""
    beams = rows[0].prompt.request.config.generation.num_beams
    inputs = make_inputs(loaded, rows)
    inputs.pop("position_ids", None)
    length = inputs["input_ids"].shape[1]
    shape = _Search(rows, length) if beams > 1 else _Choice(rows)
    with torch.inference_mode():
        output = loaded.model.generate(
            **inputs,
            generation_config=_config(loaded, rows, beams),
            logits_processor=LogitsProcessorList([shape]),
            stopping_criteria=StoppingCriteriaList([_Done(rows)]),
            tokenizer=loaded.decoder,
        )
    if beams > 1:
        for row, ids in zip(rows, output[:, length:].tolist(), strict=True):
            _take_all(row, ids)


def _config(loaded: Loaded, rows: Sequence[Row], beams: int) -> GenerationConfig:
    """Everything named that a model's own settings would decide otherwise."""
    stops = rows[0].prompt.request.config.generation.stop_strings or None
    return GenerationConfig(
        max_new_tokens=max(row.limit for row in rows),
        do_sample=False,
        num_beams=beams,
        length_penalty=1.0,
        early_stopping=False,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        use_cache=True,
        eos_token_id=sorted(rows[0].ends),
        pad_token_id=loaded.tokenizer.pad_token_id or 0,
        stop_strings=stops if beams > 1 else None,
    )


def _take_all(row: Row, ids: list[int]) -> None:
    row.state = State(row.state.random)
    for token in ids:
        if not row.is_done:
            row.take(token)
    row.reason = row.reason or FinishReason.STOP


class _Choice(LogitsProcessor):  # type: ignore[misc]
    """Leaves only the tokens that our own sampling takes."""

    def __init__(self, rows: Sequence[Row]):
        self._rows = rows

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        tokens = torch.tensor(choose(self._rows, scores), device=scores.device)
        return torch.full_like(scores, float("-inf")).scatter_(1, tokens[:, None], 0.0)


class _Search(LogitsProcessor):  # type: ignore[misc]
    """Lays settings over the scores of beams, each of which goes on from one of the last step's."""

    def __init__(self, rows: Sequence[Row], length: int):
        self._sampler = rows[0].sampler
        self._length = length
        self._rows = len(rows)
        self._states: dict[tuple[int, tuple[int, ...]], State] = {
            (number, ()): row.state for number, row in enumerate(rows)
        }

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        beams = len(ids) // self._rows
        answers = [tuple(answer) for answer in ids[:, self._length :].tolist()]
        keys = [(place // beams, answer) for place, answer in enumerate(answers)]
        states = [self._go_on(*key) for key in keys]
        self._states = dict(zip(keys, states, strict=True))
        self._sampler.shape(states, scores)
        return scores

    def _go_on(self, row: int, answer: tuple[int, ...]) -> State:
        """A state of its own for a beam, even where two beams are still the same."""
        state = self._states[row, answer[:-1]].fork()
        for token in answer[-1:]:
            state.take(token)
        return state


class _Done(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, rows: Sequence[Row]):
        self._rows = rows

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        done = torch.tensor([row.is_done for row in self._rows], device=ids.device)
        return done.repeat_interleave(len(ids) // len(done))
