"""Rows in flight: they share each step of the model, join at any step, and leave when done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from oumi.backends.local.native.kv_cache import Part, gather, new_cache
from oumi.backends.local.native.loading import Loaded
from oumi.backends.local.native.sampling import Sampler
from oumi.backends.local.native.sequence import Row


@dataclass
class Block:
    """Rows whose keys and values stand side by side, shorter ones padded at their front.

    `mask` is of shape (rows, tokens), 0 for padding; `positions` is that of each row's next token,
    of shape (rows, 1); `tokens` are the newest, which the model has not seen yet.
    """

    rows: list[Row]
    cache: Cache
    mask: torch.Tensor
    positions: torch.Tensor
    tokens: list[int]


def can_live(model: Any) -> bool:
    """Whether rows of this model can join and leave: it remembers keys and values, nothing else."""
    if getattr(model, "_is_stateful", False) or model.config.is_encoder_decoder:
        return False
    layers = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def begin(loaded: Loaded, rows: Sequence[Row]) -> Block:
    """Read the prompts and take the first token of each answer. A row with images goes alone."""
    cache = new_cache()
    inputs = make_inputs(loaded, rows)
    mask = inputs.pop("attention_mask")
    logits = _run(loaded, cache, mask, inputs)
    positions = mask.sum(-1, keepdim=True)
    shift = getattr(getattr(loaded.model, "model", None), "rope_deltas", None)
    if rows[0].prompt.images and shift is not None:
        positions = positions + shift.to(positions.device)
    return Block([*rows], cache, mask, positions, choose(rows, logits))


def go_on(loaded: Loaded, block: Block) -> None:
    """Take the next token of each row."""
    tokens = torch.tensor(block.tokens, device=block.mask.device)[:, None]
    block.mask = torch.cat([block.mask, torch.ones_like(tokens)], dim=1)
    inputs = {"input_ids": tokens, "position_ids": block.positions}
    logits = _run(loaded, block.cache, block.mask, inputs)
    block.positions = block.positions + 1
    block.tokens = choose(block.rows, logits)


def join(blocks: Sequence[Block]) -> Block | None:
    """One block of all rows that are not done; None where there are none."""
    kept = [(block, places) for block in blocks if (places := _places(block))]
    if not kept:
        return None
    parts = [Part(b.cache, at, int(b.mask[at].sum(-1).max())) for b, at in kept]
    length = max(part.length for part in parts)
    return Block(
        [block.rows[place] for block, places in kept for place in places],
        gather(parts),
        torch.cat([_fit(block.mask[places], length) for block, places in kept]),
        torch.cat([block.positions[places] for block, places in kept]),
        [block.tokens[place] for block, places in kept for place in places],
    )


def choose(rows: Sequence[Row], logits: torch.Tensor) -> list[int]:
    """Hand each row that is not done its next token. `logits` is of shape (rows, tokens)."""
    chosen = [0] * len(rows)
    for sampler, places in _by_sampler(rows):
        scores = logits if len(places) == len(rows) else logits[places]
        scores = scores.to(torch.float32, copy=True)
        tokens = sampler.pick([rows[place].state for place in places], scores)
        told = sampler.tell(logits, places, tokens)
        for place, token, entry in zip(places, tokens, told, strict=True):
            rows[place].take(token, entry)
            chosen[place] = token
    return chosen


def _by_sampler(rows: Sequence[Row]) -> Iterator[tuple[Sampler, list[int]]]:
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        if not row.is_done:
            places.setdefault(id(row.sampler), []).append(place)
    for group in places.values():
        yield rows[group[0]].sampler, group


def _places(block: Block) -> list[int]:
    return [place for place, row in enumerate(block.rows) if not row.is_done]


def _fit(mask: torch.Tensor, length: int) -> torch.Tensor:
    missing = max(length - mask.shape[1], 0)
    return torch.nn.functional.pad(mask[:, -length:], (missing, 0))


def make_inputs(loaded: Loaded, rows: Sequence[Row]) -> dict[str, Any]:
    """What the model is given of prompts. Positions of images are the model's own business."""
    device = loaded.model.device
    if rows[0].prompt.images:
        images = rows[0].prompt.images
        ids = torch.tensor([rows[0].prompt.ids])
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **images}
        return {name: _moved(value, loaded.model) for name, value in inputs.items()}
    length = max(len(row.prompt.ids) for row in rows)
    pad = loaded.tokenizer.pad_token_id or 0
    ids = torch.tensor([[pad] * (length - len(r.prompt.ids)) + r.prompt.ids for r in rows])
    counts = torch.tensor([len(row.prompt.ids) for row in rows])
    mask = (torch.arange(length) >= length - counts[:, None]).long()
    positions = (mask.cumsum(-1) - 1).clamp_(min=0)
    inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    return {name: value.to(device) for name, value in inputs.items()}


def _moved(value: Any, model: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(model.device, model.dtype if value.is_floating_point() else None)


def _run(loaded: Loaded, cache: Cache, mask: torch.Tensor, inputs: dict[str, Any]) -> torch.Tensor:
    if "position_ids" not in loaded.inputs:
        inputs.pop("position_ids", None)
    if "logits_to_keep" in loaded.inputs:
        inputs["logits_to_keep"] = 1
    out = loaded.model(attention_mask=mask, past_key_values=cache, use_cache=True, **inputs)
    return out.logits[:, -1]
