"""Static batching: a batch from start to end by Transformers' `generate`.

For what cannot join or leave a running batch: beam search, and models whose cache holds more than
keys and values.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from oumi.backends.local.native.continuous_batch import prompt_inputs, sample_next
from oumi.backends.local.native.loading import LoadedModel
from oumi.backends.local.native.sampling import SamplingState
from oumi.backends.local.native.sequence import Sequence
from oumi.core.types.conversation import FinishReason


def generate(model: LoadedModel, sequences: list[Sequence]) -> None:
    """Generate the answers of sequences that share their settings."""
    beams = sequences[0].prompt.request.config.generation.num_beams
    inputs = prompt_inputs(model, sequences)
    inputs.pop("position_ids", None)  # `generate` makes them from the mask
    prompt_length = inputs["input_ids"].shape[1]
    processor = _BeamScores(sequences, prompt_length) if beams > 1 else _SampleNext(sequences)
    with torch.inference_mode():
        output = model.model.generate(
            **inputs,
            generation_config=_generation_config(model, sequences, beams),
            logits_processor=LogitsProcessorList([processor]),
            stopping_criteria=StoppingCriteriaList([_SequenceDone(sequences)]),
            tokenizer=model.decoding_tokenizer,
        )
    if beams > 1:
        for sequence, ids in zip(sequences, output[:, prompt_length:].tolist(), strict=True):
            _append_all(sequence, ids)


def _generation_config(
    model: LoadedModel, sequences: list[Sequence], beams: int
) -> GenerationConfig:
    """Names each setting that a model's own `generation_config.json` would otherwise decide."""
    stop_strings = sequences[0].prompt.request.config.generation.stop_strings or None
    return GenerationConfig(
        max_new_tokens=max(sequence.max_new_tokens for sequence in sequences),
        do_sample=False,
        num_beams=beams,
        length_penalty=1.0,
        early_stopping=False,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        use_cache=True,
        eos_token_id=sorted(sequences[0].end_ids),
        pad_token_id=model.tokenizer.pad_token_id or 0,
        # Without beams our own sequences look for them.
        stop_strings=stop_strings if beams > 1 else None,
    )


def _append_all(sequence: Sequence, ids: list[int]) -> None:
    """Append the best beam's tokens. Its grammar was already applied to the beam's own state."""
    sequence.state = SamplingState(sequence.state.random)
    for token in ids:
        if not sequence.is_done:
            sequence.append(token)
    sequence.finish_reason = sequence.finish_reason or FinishReason.STOP


class _SampleNext(LogitsProcessor):  # type: ignore[misc]
    """Samples as continuous batches do, and leaves `generate` the sampled tokens to choose from."""

    def __init__(self, sequences: list[Sequence]):
        self._sequences = sequences

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        tokens = torch.tensor(sample_next(self._sequences, scores), device=scores.device)
        return torch.full_like(scores, float("-inf")).scatter_(1, tokens[:, None], 0.0)


class _BeamScores(LogitsProcessor):  # type: ignore[misc]
    """Applies bias, penalties and grammar to the scores of each beam.

    In each step a beam continues any beam of the same sequence from the step before. So states are
    kept by the tokens that led to them, and each beam gets a copy of its parent's.
    """

    def __init__(self, sequences: list[Sequence], prompt_length: int):
        self._sampler = sequences[0].sampler
        self._prompt_length = prompt_length
        self._sequences = len(sequences)
        self._states: dict[tuple[int, tuple[int, ...]], SamplingState] = {
            (index, ()): sequence.state for index, sequence in enumerate(sequences)
        }

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        beams = len(ids) // self._sequences
        generated = [tuple(tokens) for tokens in ids[:, self._prompt_length :].tolist()]
        # The beams of one sequence stand next to each other.
        keys = [(row // beams, tokens) for row, tokens in enumerate(generated)]
        states = [self._advance(*key) for key in keys]
        self._states = dict(zip(keys, states, strict=True))
        self._sampler.adjust_scores(states, scores)
        return scores

    def _advance(self, sequence: int, generated: tuple[int, ...]) -> SamplingState:
        """The state of a beam: always a copy, since two beams may still be the same."""
        state = self._states[sequence, generated[:-1]].fork()
        for token in generated[-1:]:
            state.append(token)
        return state


class _SequenceDone(StoppingCriteria):  # type: ignore[misc]
    """Stops each sequence, with all its beams, once it is finished or cancelled."""

    def __init__(self, sequences: list[Sequence]):
        self._sequences = sequences

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        done = torch.tensor([s.is_done for s in self._sequences], device=ids.device)
        return done.repeat_interleave(len(ids) // len(done))
