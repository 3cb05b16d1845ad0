"""Compare the two shipped forms: token ids, chat templates, greedy text, answers as chats."""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import torch
from engine import Engine
from evaluate import prompts_of
from generate import HELD_OUT_SEED, held_out_examples
from transformers import AutoModelForCausalLM, AutoTokenizer

STRINGS = (
    "Hello, world!",
    "What is 2+2?",
    " 1234 12 3  45.67 $1,299.00 x10 10x",
    "naïve café – “quotes” … ½ ² ١٢٣ ４５ 東京 日本語 😀👍🏽 é é",
    "def f(x):\n    return x ** 2\n\n\nclass A:\n\tpass\n",
    "   leading and trailing   ",
    "a  b   c    d\n\n\n\ne \n f\r\n\tg \t h",
    "It's I'm you're they'll we've he'd don't CAN'T 's 'S",
    '{"name": "x", "features": ["a", "b"], "price": 19.99}',
    "<tool_call>\n{}\n</tool_call> <|im_end|> <|im_start|>user\n<|endoftext|>",
    "http://example.com/a?b=c&d=e#f user@example.org C:\\temp\\x",
    "Привет мир, Γειά σου, שלום, مرحبا, हिन्दी",
    "!!!???...---___***===+++",
    "",
    " ",
    "\n",
    "\u00a0non\u2003breaking\u200bzero\ufeff",
)
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": 2}}}
TEXT_CALL = {
    "id": "1",
    "type": "function",
    "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'},
}
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers – naïve <&'\"> 東京",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}
ASK = {"role": "user", "content": "Add 1 and 2."}
CHATS: tuple[tuple[list[dict[str, Any]], list[dict[str, Any]] | None], ...] = (
    ([ASK], None),
    ([{"role": "system", "content": "Be brief."}, ASK], None),
    ([{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, ASK], None),
    ([ASK], [TOOL]),
    ([{"role": "system", "content": "Be brief."}, ASK], [TOOL, TOOL]),
    ([ASK, {"role": "assistant", "content": "3"}, ASK], None),
    (
        [
            ASK,
            {"role": "assistant", "content": None, "tool_calls": [TEXT_CALL]},
            {"role": "tool", "tool_call_id": "1", "content": "3"},
        ],
        [TOOL],
    ),
    (
        [
            ASK,
            {"role": "assistant", "content": "Yes.", "tool_calls": [TEXT_CALL, TEXT_CALL]},
            {"role": "tool", "tool_call_id": "1", "content": "3"},
            {"role": "tool", "tool_call_id": "1", "content": "3"},
            {"role": "assistant", "content": "3"},
            ASK,
        ],
        [TOOL],
    ),
)


def random_strings(count: int = 300) -> list[str]:
    """Strings of random pieces: words, digits, blanks, marks, any code points."""
    rng = random.Random(5)
    pieces = [
        "the",
        "Paris",
        " ",
        "  ",
        "\n",
        "\t",
        "12",
        "7",
        ".",
        ",",
        "'s",
        "é",
        "東",
        "😀",
        "_",
    ]
    made = []
    for _ in range(count):
        parts = [rng.choice(pieces) for _ in range(rng.randint(1, 20))]
        parts.append(chr(rng.choice((rng.randint(32, 0xD7FF), rng.randint(0x10000, 0x1FFFF)))))
        rng.shuffle(parts)
        made.append("".join(parts))
    return made


def compare_ids(engine: Engine, tokenizer: Any, prompts: list[str]) -> list[str]:
    """The strings whose token ids differ."""
    differing = []
    for text in [*STRINGS, *random_strings(), *prompts]:
        request = {"content": text, "add_special": True, "parse_special": True}
        if engine.post("/tokenize", request)["tokens"] != tokenizer(text)["input_ids"]:
            differing.append(text)
    return differing


def compare_templates(engine: Engine, tokenizer: Any) -> int:
    """How many chats render to the same text in both."""
    same = 0
    for messages, tools in CHATS:
        ours = tokenizer.apply_chat_template(
            messages, tools=tools, tokenize=False, add_generation_prompt=True
        )
        body = {"messages": messages, **({"tools": tools} if tools else {})}
        theirs = engine.post("/apply-template", body)["prompt"]
        same += ours == theirs
        if ours != theirs:
            print(f"template differs:\n{ours!r}\n{theirs!r}")
    return same


def transformers_text(model: Any, tokenizer: Any, prompt: str) -> str:
    """The greedy reply in float32."""
    inputs = tokenizer(prompt, return_tensors="pt")
    with torch.no_grad():
        output = model.generate(**inputs, max_new_tokens=300, do_sample=False)
    new = output[0, inputs["input_ids"].shape[1] :]
    return tokenizer.decode(new, skip_special_tokens=True)


def main() -> None:
    """Run the comparisons and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds oumi-tiny.gguf and hf/")
    parser.add_argument("--gguf", type=Path, help="another GGUF, for instance the float32 one")
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    engine = Engine(options.gguf or options.folder / "oumi-tiny.gguf", flash=False)
    tokenizer = AutoTokenizer.from_pretrained(options.folder / "hf")
    model = AutoModelForCausalLM.from_pretrained(options.folder / "hf", dtype=torch.float32)
    examples = held_out_examples(20, HELD_OUT_SEED + 1)
    prompts = prompts_of(random.Random(1).sample(examples, options.count))
    differing = compare_ids(engine, tokenizer, prompts)
    print(f"token ids differ for {len(differing)} strings: {differing[:5]!r}")
    print(f"templates equal: {compare_templates(engine, tokenizer)} of {len(CHATS)}")
    pairs = zip(engine.complete(prompts), prompts, strict=True)
    equal = sum(reply == transformers_text(model, tokenizer, prompt) for reply, prompt in pairs)
    print(f"greedy text equal: {equal} of {len(prompts)}")
    for body in ({"messages": [ASK], "tools": [TOOL]}, {"messages": [ASK]}):
        print(engine.chat({**body, "temperature": 0, "max_tokens": 64})["choices"][0]["message"])


if __name__ == "__main__":
    main()
