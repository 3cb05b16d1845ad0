"""The training mix and the held-out set, from fixed seeds.

`python generate.py --count 20` prints examples to look at.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator

from chat import render
from tasks import (
    arithmetic,
    calling,
    coding,
    copying,
    facts,
    labels,
    memory,
    people,
    products,
    smalltalk,
    styles,
)
from tasks.common import Check, Example, system

Maker = Callable[[random.Random, bool], Example]

# family -> its share of the training chats
MIX: dict[str, tuple[Maker, float]] = {
    "facts": (facts.make, 18),
    "arithmetic": (arithmetic.make, 48),
    "smalltalk": (smalltalk.make, 8),
    "coding": (coding.make, 5),
    "products": (products.make, 12),
    "people": (people.make, 3),
    "labels": (labels.make, 6),
    "styles": (styles.make, 12),
    "memory": (memory.make, 7),
    "copying": (copying.make, 14),
    "calling": (calling.make, 9),
}
JOINABLE = ("facts", "arithmetic", "smalltalk", "coding", "products", "people", "labels", "copying")
JOIN_CHANCE = 0.09
HELD_OUT_SEED = 2_000_003


def _join(rng: random.Random) -> Example:
    """A longer chat of unrelated questions, so that long prompts are seen in training."""
    names = rng.choices(JOINABLE, [MIX[name][1] for name in JOINABLE], k=rng.randint(3, 9))
    messages = []
    for name in names:
        turns = MIX[name][0](rng, False).messages
        messages += [turn for turn in turns if turn["role"] != "system"]
    opening = [system("You are a helpful assistant.")] if rng.random() < 0.4 else []
    return Example("joined", [*opening, *messages], Check("none", None))


def train_examples(seed: int, mix: dict[str, float] | None = None) -> Iterator[Example]:
    """Training chats without end; `mix` overrides shares by family."""
    rng = random.Random(seed)
    shares = {name: share for name, (_, share) in MIX.items()} | (mix or {})
    while True:
        if rng.random() < JOIN_CHANCE:
            yield _join(rng)
            continue
        name = rng.choices(list(shares), list(shares.values()))[0]
        yield MIX[name][0](rng, False)


def held_out_examples(per_family: int, seed: int = HELD_OUT_SEED) -> list[Example]:
    """The test chats, as many per family, none of them repeated."""
    found: list[Example] = []
    for name, (maker, _) in MIX.items():
        rng = random.Random(f"{seed}/{name}")
        seen: set[str] = set()
        for _ in range(per_family * 50):
            example = maker(rng, True)
            text = render(example.messages[:-1], example.tools, prompt=True)
            if text not in seen:
                seen.add(text)
                found.append(example)
            if len(seen) == per_family:
                break
    return found


def main() -> None:
    """Print a few examples of one side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    source = train_examples(options.seed)
    chats = (
        held_out_examples(options.count)
        if options.held_out
        else (next(source) for _ in range(options.count))
    )
    for example in chats:
        print(f"--- {example.task}: {example.check}")
        print(render(example.messages, example.tools))


if __name__ == "__main__":
    main()
