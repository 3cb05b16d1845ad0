"""One batch: rows of the same settings in, a completion a row out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import llguidance.hf
import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from oumi.core.configs import GenerationParams
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason
from oumi.errors import ConfigError
from oumi.inference.local.chat_text import to_completion
from oumi.inference.local.native.loading import Loaded
from oumi.inference.local.native.sampling import Constraint, make_processors
from oumi.runner.request import Request
from oumi.structured.grammar import to_lark


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request and the ids of its prompt."""

    request: Request
    ids: list[int]


def generate(
    loaded: Loaded,
    prompts: Sequence[Prompt],
    streamer: Any = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> list[Completion]:
    """Answer prompts whose generation settings are equal. Runs in the caller's thread."""
    generation = prompts[0].request.config.generation
    padded = loaded.tokenizer.pad({"input_ids": [p.ids for p in prompts]}, return_tensors="pt")
    length = padded["input_ids"].shape[1]
    with torch.inference_mode():
        output = loaded.model.generate(
            **padded.to(loaded.model.device),
            generation_config=_config(loaded, generation, length),
            logits_processor=_processors(loaded, prompts, length),
            stopping_criteria=StoppingCriteriaList(_criteria(is_cancelled)),
            tokenizer=loaded.tokenizer,
            streamer=streamer,
        )
    ends = set(_end_ids(loaded, generation))
    rows = output[:, length:].tolist()
    return [_complete(loaded, p, row, ends) for p, row in zip(prompts, rows, strict=True)]


def _complete(loaded: Loaded, prompt: Prompt, row: list[int], ends: set[int]) -> Completion:
    at = next((i for i, token in enumerate(row) if token in ends), None)
    ids = row if at is None else row[:at]
    room = loaded.context - len(prompt.ids)
    limit = min(prompt.request.config.generation.max_new_tokens, room)
    ended = at is not None and at < limit
    return _decode(loaded, prompt, ids[:limit], ended)


def _decode(loaded: Loaded, prompt: Prompt, ids: list[int], ended: bool) -> Completion:
    generation = prompt.request.config.generation
    text = loaded.tokenizer.decode(ids, skip_special_tokens=generation.skip_special_tokens)
    stops = [at for at in map(text.find, generation.stop_strings or ()) if at >= 0]
    text = text[: min(stops)] if stops else text
    reason = FinishReason.STOP if ended or stops else FinishReason.LENGTH
    return to_completion(text, reason, Usage(len(prompt.ids), len(ids)), prompt.request)


def _config(loaded: Loaded, generation: GenerationParams, length: int) -> GenerationConfig:
    room = max(loaded.context - length, 1)
    return GenerationConfig(
        max_new_tokens=min(generation.max_new_tokens, room),
        do_sample=False,  # make_processors samples
        num_beams=generation.num_beams,
        use_cache=True,
        eos_token_id=_end_ids(loaded, generation),
        pad_token_id=loaded.tokenizer.pad_token_id,
        stop_strings=generation.stop_strings or None,
    )


def _end_ids(loaded: Loaded, generation: GenerationParams) -> list[int]:
    """Ids that end an answer: the model's own, and those asked for."""
    own = loaded.model.generation_config.eos_token_id
    ids = own if isinstance(own, list) else [own]
    found = [*ids, loaded.tokenizer.eos_token_id, *(generation.stop_token_ids or ())]
    return list(dict.fromkeys(token for token in found if token is not None))


def _processors(loaded: Loaded, prompts: Sequence[Prompt], length: int) -> Any:
    generation = prompts[0].request.config.generation
    constraint = None
    if generation.guided_decoding is not None:
        constraint = Constraint(
            _guidance(loaded.tokenizer, loaded.model.config.get_text_config().vocab_size),
            to_lark(generation.guided_decoding),
            len(prompts) * generation.num_beams,
            length,
        )
    keys = [prompt.request.key for prompt in prompts]
    return make_processors(generation, keys, length, _bias(loaded, generation), constraint)


def _bias(loaded: Loaded, generation: GenerationParams) -> dict[int, float]:
    """The bias of each token id, a text standing for all its tokens."""
    bias: dict[int, float] = {}
    size = len(loaded.tokenizer)
    for token, value in generation.logit_bias.items():
        text = str(token)
        ids = (
            [int(text)]
            if text.isdigit()
            else loaded.tokenizer.encode(text, add_special_tokens=False)
        )
        if not all(0 <= i < size for i in ids):
            raise ConfigError(f"generation.logit_bias: no token {token!r}; there are {size:,}")
        bias.update(dict.fromkeys(ids, value))
    return bias


@lru_cache(maxsize=4)
def _guidance(tokenizer: Any, vocabulary: int) -> Any:
    return llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocabulary)


class _Cancelled(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, is_cancelled: Callable[[], bool]):
        self._is_cancelled = is_cancelled

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((ids.shape[0],), self._is_cancelled(), device=ids.device)


def _criteria(is_cancelled: Callable[[], bool] | None) -> list[Any]:
    return [_Cancelled(is_cancelled)] if is_cancelled else []
