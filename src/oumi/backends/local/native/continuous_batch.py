"""Continuous batching: sequences share each step of the model, join at any step, leave when done.

The idea: https://www.usenix.org/conference/osdi22/presentation/yu (Orca)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from oumi.backends.local.native.kv_cache import CacheSlice, make_cache, merge_slices
from oumi.backends.local.native.loading import LoadedModel
from oumi.backends.local.native.sampling import Sampler
from oumi.backends.local.native.sequence import Sequence


@dataclass
class ContinuousBatch:
    """Sequences that are decoded together, and what the model needs for their next step.

    `attention_mask` has the shape (sequences, cached tokens) and is 0 at padding, which stands on
    the left. `positions`, of shape (sequences, 1), are those of the next tokens. `next_tokens`
    were sampled last: the model has not seen them yet, and they are not in the cache.
    """

    sequences: list[Sequence]
    cache: Cache
    attention_mask: torch.Tensor
    positions: torch.Tensor
    next_tokens: list[int]


def supports_continuous_batching(model: Any) -> bool:
    """Whether the cache of this model holds keys and values only, so that it can be cut and merged.

    Recurrent states (Mamba) and cross-attention (encoder-decoder models) cannot.
    """
    if getattr(model, "_is_stateful", False) or model.config.is_encoder_decoder:
        return False
    layers = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    # Sliding windows need no layer of their own: the model masks what lies outside the window.
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def prefill(model: LoadedModel, sequences: list[Sequence]) -> ContinuousBatch:
    """Run the model over the prompts and sample the first token of each answer.

    A sequence with images has to be alone.
    """
    cache = make_cache()
    inputs = prompt_inputs(model, sequences)
    mask = inputs.pop("attention_mask")
    logits = _forward(model, cache, mask, inputs)
    # Positions count the tokens of a sequence without its padding.
    positions = mask.sum(-1, keepdim=True)
    # In the rotary positions of Qwen's vision models (M-RoPE) the tokens of an image share
    # positions, so text after it starts lower than the count of tokens; this is the difference.
    offset = getattr(getattr(model.model, "model", None), "rope_deltas", None)
    if sequences[0].prompt.images and offset is not None:
        positions = positions + offset.to(positions.device)
    next_tokens = sample_next(sequences, logits)
    return ContinuousBatch([*sequences], cache, mask, positions, next_tokens)


def decode_step(model: LoadedModel, batch: ContinuousBatch) -> None:
    """Run the model over the last sampled tokens and sample the next of each sequence.

    Finished sequences take part until `merge` removes them; what comes of theirs is ignored.
    """
    tokens = torch.tensor(batch.next_tokens, device=batch.attention_mask.device)[:, None]
    batch.attention_mask = torch.cat([batch.attention_mask, torch.ones_like(tokens)], dim=1)
    inputs = {"input_ids": tokens, "position_ids": batch.positions}
    logits = _forward(model, batch.cache, batch.attention_mask, inputs)
    batch.positions = batch.positions + 1
    batch.next_tokens = sample_next(batch.sequences, logits)


def merge(batches: list[ContinuousBatch]) -> ContinuousBatch | None:
    """One batch of all unfinished sequences; None where there are none."""
    kept = [(batch, indices) for batch in batches if (indices := _unfinished(batch))]
    if not kept:
        return None
    # The longest sequence kept decides; padding that only longer ones needed is cut off.
    slices = [
        CacheSlice(batch.cache, indices, int(batch.attention_mask[indices].sum(-1).max()))
        for batch, indices in kept
    ]
    length = max(part.length for part in slices)
    masks = [_resized_left(batch.attention_mask[indices], length) for batch, indices in kept]
    return ContinuousBatch(
        [batch.sequences[index] for batch, indices in kept for index in indices],
        merge_slices(slices),
        torch.cat(masks),
        torch.cat([batch.positions[indices] for batch, indices in kept]),
        [batch.next_tokens[index] for batch, indices in kept for index in indices],
    )


def sample_next(sequences: list[Sequence], logits: torch.Tensor) -> list[int]:
    """Sample a token for each unfinished sequence and append it; 0 for the finished ones.

    `logits` has the shape (sequences, vocabulary).
    """
    next_tokens = [0] * len(sequences)
    for sampler, indices in _group_by_sampler(sequences):
        scores = logits if len(indices) == len(sequences) else logits[indices]
        scores = scores.to(torch.float32, copy=True)  # sampling changes them in place
        tokens = sampler.sample([sequences[index].state for index in indices], scores)
        logprobs = sampler.logprobs(logits, indices, tokens)
        for index, token, entry in zip(indices, tokens, logprobs, strict=True):
            sequences[index].append(token, entry)
            next_tokens[index] = token
    return next_tokens


def prompt_inputs(model: LoadedModel, sequences: list[Sequence]) -> dict[str, Any]:
    """The model's inputs for prompts, on its device: ids, mask, positions, tensors of images.

    Ids, mask and positions have the shape (sequences, longest prompt), padded on the left. With
    images there are no positions: the model computes its own.
    """
    images = sequences[0].prompt.images
    if images:
        ids = torch.tensor([sequences[0].prompt.ids])
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **images}
        return {name: _to_device(value, model.model) for name, value in inputs.items()}
    prompts = [sequence.prompt.ids for sequence in sequences]
    longest = max(map(len, prompts))
    pad = model.tokenizer.pad_token_id or 0
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
    lengths = torch.tensor(list(map(len, prompts)))
    mask = (torch.arange(longest) >= longest - lengths[:, None]).long()
    # 0, 1, 2, … from the first real token on; padding, which the mask hides, gets 0 too.
    positions = (mask.cumsum(-1) - 1).clamp_(min=0)
    inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    return {name: value.to(model.model.device) for name, value in inputs.items()}


def _group_by_sampler(sequences: list[Sequence]) -> Iterator[tuple[Sampler, list[int]]]:
    """Indices of the unfinished sequences, by the settings that they share."""
    groups: dict[int, list[int]] = {}
    for index, sequence in enumerate(sequences):
        if not sequence.is_done:
            groups.setdefault(id(sequence.sampler), []).append(index)
    for indices in groups.values():
        yield sequences[indices[0]].sampler, indices


def _unfinished(batch: ContinuousBatch) -> list[int]:
    return [index for index, sequence in enumerate(batch.sequences) if not sequence.is_done]


def _resized_left(mask: torch.Tensor, length: int) -> torch.Tensor:
    """The newest `length` columns, with columns of padding on the left where there are fewer."""
    missing = max(length - mask.shape[1], 0)
    return torch.nn.functional.pad(mask[:, -length:], (missing, 0))


def _to_device(value: Any, model: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(model.device, model.dtype if value.is_floating_point() else None)


def _forward(
    model: LoadedModel, cache: Cache, mask: torch.Tensor, inputs: dict[str, Any]
) -> torch.Tensor:
    """The logits after the newest token of each sequence: (sequences, vocabulary)."""
    if "position_ids" not in model.forward_parameters:  # Bloom has ALiBi in place of positions
        inputs.pop("position_ids", None)
    if "logits_to_keep" in model.forward_parameters:
        # Logits of the whole prompt are not needed, and would be larger than all else.
        inputs["logits_to_keep"] = 1
    output = model.model(attention_mask=mask, past_key_values=cache, use_cache=True, **inputs)
    return output.logits[:, -1]
