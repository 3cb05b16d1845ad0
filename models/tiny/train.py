"""Train oumi-tiny from nothing on generated chats, within a time budget.

Batches hold chats of like length, padded on the right, so no chat sees another one. Only what
the assistant writes is learned. The learning rate follows the share of the budget that is used.
"""

from __future__ import annotations

import argparse
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from chat import cut
from generate import train_examples
from model import Llama, Shape, rotary_table
from tasks.common import Example
from tokenizers import Tokenizer
from torch import Tensor

LENGTHS = (32, 48, 64, 96, 160, 256, 384, 640, 1024)
MUON_LR = 4e-3
ADAM_LR = 3e-3
WARMUP_STEPS = 40
SAVE_EVERY_S = 180
STOP: list[int] = []  # filled by SIGTERM: save after this step and leave


def encode(tokenizer: Tokenizer, example: Example) -> tuple[list[int], list[int]]:
    """Token ids and targets; -100 where nothing is learned."""
    ids: list[int] = []
    targets: list[int] = []
    for text, learned in cut(example.messages, example.tools):
        part = tokenizer.encode(text, add_special_tokens=False).ids
        ids += part
        targets += part if learned else [-100] * len(part)
    return ids[:-1], targets[1:]


def _pad(rows: list[tuple[list[int], list[int]]], length: int) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    targets = torch.full((len(rows), length), -100)
    for index, (row, wanted) in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        targets[index, : len(row)] = torch.tensor(wanted)
    return ids, targets


def batches(
    tokenizer: Tokenizer, seed: int, tokens: int, mix: dict[str, float]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end; one comes out whenever a length has rows for `tokens` tokens."""
    waiting: dict[int, list[tuple[list[int], list[int]]]] = {length: [] for length in LENGTHS}
    for example in train_examples(seed, mix):
        row = encode(tokenizer, example)
        fitting = [length for length in LENGTHS if len(row[0]) <= length]
        if not fitting:
            continue
        rows = waiting[fitting[0]]
        rows.append(row)
        if len(rows) == tokens // fitting[0]:
            yield _pad(rows, fitting[0])
            rows.clear()


def optimizers(model: Llama) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings and norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if all(p is not q for q in matrices)]
    muon = torch.optim.Muon(matrices, lr=MUON_LR, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(others, lr=ADAM_LR, betas=(0.9, 0.98), weight_decay=0.0)
    return [muon, adam]


def rate(step: int, used: float) -> float:
    """The share of the full learning rate: a short warm-up, then a cosine to nearly zero."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * (
        0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * used))
    )


class Run:
    """A training run: the model, its optimizers and how far it is."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.shape = Shape(num_hidden_layers=options.layers)
        self.model = Llama(self.shape)
        self.optimizers = optimizers(self.model)
        self.step, self.tokens, self.spent_s = 0, 0, 0.0
        path = options.checkpoint
        if path.exists():
            self._resume(torch.load(path, weights_only=True))
        elif options.start:
            self.model.load_state_dict(torch.load(options.start, weights_only=True)["model"])
        if options.compile:
            torch._dynamo.config.recompile_limit = 4 * len(LENGTHS)
            self.model.model.forward = torch.compile(self.model.model.forward, dynamic=False)

    def _resume(self, saved: dict) -> None:
        self.model.load_state_dict(saved["model"])
        for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.step, self.tokens, self.spent_s = saved["step"], saved["tokens"], saved["spent_s"]

    def save(self) -> None:
        """Write the checkpoint whole, by a temporary neighbour."""
        path = self.options.checkpoint
        temporary = path.with_suffix(".part")
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "tokens": self.tokens,
            "spent_s": self.spent_s,
            "shape": self.shape.to_dict(),
        }
        torch.save(state, temporary)
        temporary.replace(path)

    def learn(self, ids: Tensor, targets: Tensor, cos: Tensor, sin: Tensor) -> float:
        """One step; returns the loss."""
        share = rate(self.step, self.spent_s / self.options.budget_s)
        for optimizer, full in zip(self.optimizers, (MUON_LR, ADAM_LR), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = full * share * self.options.rate
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.model(ids, targets, cos, sin)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += ids.numel()
        return loss.item()


def train(run: Run, tokenizer: Tokenizer, mix: dict[str, float]) -> None:
    """Learn until the budget is used up, saving every few minutes."""
    options = run.options
    cos, sin = rotary_table(run.shape, run.shape.max_position_embeddings)
    source = batches(tokenizer, options.seed + run.step, options.batch_tokens, mix)
    losses: list[float] = []
    saved_s = last_s = time.monotonic()
    for ids, targets in source:
        losses.append(run.learn(ids, targets, cos, sin))
        now_s = time.monotonic()
        run.spent_s, last_s = run.spent_s + now_s - last_s, now_s
        done = run.spent_s >= options.budget_s
        if run.step % 50 == 0 or done:
            pace = run.tokens / run.spent_s
            mean = sum(losses) / len(losses)
            print(
                f"step {run.step} loss {mean:.4f} tokens {run.tokens} "
                f"spent {run.spent_s:.0f} s, {pace:.0f} tokens/s",
                flush=True,
            )
            losses.clear()
        if done or STOP or now_s - saved_s > SAVE_EVERY_S:
            run.save()
            saved_s = now_s
        if done or STOP:
            return


def parse_mix(text: str) -> dict[str, float]:
    """`facts=10,arithmetic=40` as shares by family."""
    pairs = (part.split("=") for part in text.split(",") if part)
    return {name: float(share) for name, share in pairs}


def main() -> None:
    """Parse the options and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer", type=Path, help="tokenizer.json")
    parser.add_argument("checkpoint", type=Path, help="written, and resumed when it exists")
    parser.add_argument("--budget-s", type=float, default=3300)
    parser.add_argument("--batch-tokens", type=int, default=6144)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.0, help="scales the learning rate")
    parser.add_argument(
        "--mix", type=parse_mix, default={}, help="shares by family: facts=10,labels=5"
    )
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--compile", action="store_true", help="1.4 times faster, once warm")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: STOP.append(number))
    options.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    run = Run(options)
    print(f"{sum(p.numel() for p in run.model.parameters())} parameters", flush=True)
    train(run, Tokenizer.from_file(str(options.tokenizer)), options.mix)


if __name__ == "__main__":
    main()
