"""Byte-level BPE whose merges never touch a digit, in the GPT-2 form.

Learned with every digit cut off on its own; used with the plain GPT-2 pattern, which then
gives the same ids here and in llama.cpp (pre-tokenizer "gpt-2").
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

from chat import TEMPLATE_PATH, render
from generate import train_examples
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VOCABULARY = 2048
CHATS = 40_000


def _learn(texts: list[str]) -> dict[str, object]:
    """Merges learned from the texts, as the model part of tokenizer.json."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\d"), "isolated"),
            pre_tokenizers.Split(Regex(r"\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    return json.loads(learner.to_str())["model"]


def _plain(text: str) -> str:
    """The text without special tokens, which need no merges."""
    for token in SPECIAL:
        text = text.replace(token, "\n")
    return text


def build(texts: list[str]) -> Tokenizer:
    """The tokenizer as it is used: GPT-2 pattern, byte-level, three special tokens."""
    model = _learn(texts)
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=model["vocab"], merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def config() -> dict[str, object]:
    """tokenizer_config.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
    }


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """The three tokenizer files of the Transformers layout."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    text = json.dumps(config(), indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
    template = TEMPLATE_PATH.read_text(encoding="utf-8")
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def main() -> None:
    """Learn the tokenizer from the training mix and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    chats = itertools.islice(train_examples(seed=7), CHATS)
    tokenizer = build([_plain(render(chat.messages, chat.tools)) for chat in chats])
    save(tokenizer, options.folder)
    print(f"{tokenizer.get_vocab_size()} tokens")


if __name__ == "__main__":
    main()
