"""Score a GGUF on the held-out set and print a table, one row per task.

Greedy unless `--temperature` is given. `--wrong FILE` writes every failed reply there.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from chat import render
from engine import Engine
from generate import HELD_OUT_SEED, held_out_examples
from scoring import passes
from tasks.common import Example

REQUIRED = (
    (None, "What is 2+2?", "4"),
    (None, "What is the capital of France?", "Paris"),
    ("You are a helpful coding assistant.", "How do I read a file in Python?", "```python\n"),
    (None, "How do I read a file in Python?", "```python\n"),
)


def prompts_of(examples: list[Example]) -> list[str]:
    """Each chat as text, up to where the model starts to write."""
    return [render(e.messages[:-1], e.tools, prompt=True) for e in examples]


def _required_prompts() -> list[str]:
    chats = []
    for system, question, _ in REQUIRED:
        opening = [{"role": "system", "content": system}] if system else []
        chats.append([*opening, {"role": "user", "content": question}])
    return [render(chat, prompt=True) for chat in chats]


def check_required(engine: Engine, times: int = 25) -> list[tuple[str, int, int]]:
    """The fixed prompts, greedy once and sampled many times: question, passed, asked."""
    rows = []
    for prompt, (_, question, must) in zip(_required_prompts(), REQUIRED, strict=True):
        replies = engine.complete([prompt])
        replies += engine.complete([prompt] * times, temperature=0.7, top_p=0.9)
        rows.append((question, sum(must in reply for reply in replies), len(replies)))
    return rows


def table(examples: list[Example], replies: list[str]) -> str:
    """Passed of asked per task, and the total, in Markdown."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for example, reply in zip(examples, replies, strict=True):
        for name in (example.task, "**total**"):
            counts[name][0] += passes(example.check, reply)
            counts[name][1] += 1
    total = counts.pop("**total**")
    lines = ["| task | passed | of | share |", "|---|---|---|---|"]
    for name, (passed, asked) in [*counts.items(), ("**total**", total)]:
        lines.append(f"| {name} | {passed} | {asked} | {100 * passed / asked:.1f} % |")
    return "\n".join(lines)


def _write_wrong(path: Path, examples: list[Example], replies: list[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for example, reply in zip(examples, replies, strict=True):
            if not passes(example.check, reply):
                prompt = render(example.messages[:-1], example.tools, prompt=True)
                file.write(f"--- {example.task} {example.check}\n{prompt}{reply}\n")


def main() -> None:
    """Parse the options, run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--per-family", type=int, default=100)
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--wrong", type=Path)
    options = parser.parse_args()
    engine = Engine(options.gguf)
    examples = held_out_examples(options.per_family, options.seed)
    sampling = {"temperature": options.temperature, "top_p": 0.9}
    replies = engine.complete(prompts_of(examples), **sampling)
    print(table(examples, replies))
    for question, passed, asked in check_required(engine):
        print(f"{question} {passed} of {asked}")
    if options.wrong:
        _write_wrong(options.wrong, examples, replies)


if __name__ == "__main__":
    main()
