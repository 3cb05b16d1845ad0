"""The chat templates that have a name: the texts that they render, written out."""

from __future__ import annotations

from typing import Any

import pytest

from oumi.backends.chat_templates.reading import read_template, template_names
from oumi.backends.chat_templates.rendering import compile_template, render

SYSTEM = {"role": "system", "content": "Be kind"}
TALK = [
    {"role": "user", "content": "Hi "},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Why?"},
]
CHAT_ML_TALK = (
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
    "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
)
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)
QWEN_SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"

WITH_SYSTEM = {
    "chat_ml": "<bos><|im_start|>system\nBe kind<|im_end|>\n" + CHAT_ML_TALK,
    "default": "SYSTEM: Be kind\nUSER: Hi\nASSISTANT: Hello\nUSER: Why?\nASSISTANT: ",
    "gemma2-it": (
        "<bos><start_of_turn>user\nBe kind\n\nHi<end_of_turn>\n<start_of_turn>model\nHello"
        "<end_of_turn>\n<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n"
    ),
    "gpt2": "Be kind<eos>Hi <eos>Hello<eos>Why?<eos>",
    "internvl3": "<|im_start|>system\nBe kind<|im_end|>\n" + CHAT_ML_TALK.replace("Hi<", "Hi <"),
    "llama3-instruct": (
        "<bos><|start_header_id|>system<|end_header_id|>\n\nBe kind<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "llava": "Be kind USER: Hi  ASSISTANT: Hello <eos>USER: Why? ASSISTANT: ",
    "phi3-instruct": (
        "<|system|>\nBe kind<|end|>\n<|user|>\nHi <|end|>\n<|assistant|>\nHello<|end|>\n"
        "<|user|>\nWhy?<|end|>\n<|assistant|>\n"
    ),
    "zephyr": (
        "<|system|>\nBe kind<eos>\n<|user|>\nHi<eos>\n<|assistant|>\nHello<eos>\n"
        "<|user|>\nWhy?<eos>\n<|assistant|>\n"
    ),
}
WITH_SYSTEM["default_gen"] = WITH_SYSTEM["default"]
WITH_SYSTEM["qwen2-vl-instruct"] = WITH_SYSTEM["internvl3"]
WITH_SYSTEM["qwen3-vl-instruct"] = WITH_SYSTEM["internvl3"]

WITHOUT_SYSTEM = {
    "chat_ml": "<bos>" + CHAT_ML_TALK,
    "gemma2-it": WITH_SYSTEM["gemma2-it"].replace("Be kind\n\n", ""),
    "llava": VICUNA + " USER: Hi  ASSISTANT: Hello <eos>USER: Why? ASSISTANT: ",
    "molmo": "User: Hi  Assistant: Hello User: Why? Assistant:",
    "qwen2-vl-instruct": QWEN_SYSTEM + CHAT_ML_TALK.replace("Hi<", "Hi <"),
    "zephyr": WITH_SYSTEM["zephyr"].removeprefix("<|system|>\nBe kind<eos>\n"),
}

PICTURES = [
    {
        "role": "user",
        "content": [
            {"type": "image"},
            {"type": "text", "text": "A or"},
            {"type": "image"},
            {"type": "text", "text": "B?"},
        ],
    }
]
WITH_PICTURES = {
    "internvl3": "<IMG_CONTEXT>\nA or<IMG_CONTEXT>\nB?",
    "llama3-instruct": "<|image|>A or<|image|>B?",
    "llava": "<image> A or <image> B?",
    "molmo": "A orB?",
    "phi3-instruct": "<|image_1|>A or<|image_2|>B?",
    "qwen2-vl-instruct": (
        "<|vision_start|><|image_pad|><|vision_end|>A or"
        "<|vision_start|><|image_pad|><|vision_end|>B?"
    ),
}


def prompt(name: str, messages: list[dict[str, Any]], **variables: Any) -> str | None:
    text = read_template(name)
    assert text is not None
    return render(compile_template(text), messages, variables)


def test_each_name_has_an_expected_text():
    assert WITH_SYSTEM.keys() | {"molmo"} == template_names()
    assert len(template_names()) == 13


@pytest.mark.parametrize("name", WITH_SYSTEM)
def test_a_conversation_with_a_system_message(name: str):
    assert prompt(name, [SYSTEM, *TALK]) == WITH_SYSTEM[name]


@pytest.mark.parametrize("name", WITHOUT_SYSTEM)
def test_a_conversation_without_one(name: str):
    assert prompt(name, TALK) == WITHOUT_SYSTEM[name]


@pytest.mark.parametrize("name", WITH_PICTURES)
def test_pictures(name: str):
    assert WITH_PICTURES[name] in (prompt(name, PICTURES) or "")


def test_pictures_are_numbered_where_that_is_asked_for():
    text = prompt("qwen2-vl-instruct", PICTURES, add_vision_id=True)
    assert text is not None
    assert "Picture 1: <|vision_start|>" in text
    assert "Picture 2: <|vision_start|>" in text


@pytest.mark.parametrize("name", sorted(template_names() - {"gpt2"}))
def test_without_the_beginning_of_an_answer(name: str):
    whole, cut = prompt(name, TALK), prompt(name, TALK, add_generation_prompt=False)
    assert whole is not None
    assert cut is not None
    assert whole.startswith(cut)
    assert 0 < len(whole) - len(cut) < 50


@pytest.mark.parametrize("name", ["chat_ml", "gemma2-it", "molmo", "zephyr"])
def test_roles_that_do_not_alternate_are_refused(name: str):
    assert prompt(name, [TALK[0], TALK[2]]) is None


def test_names_are_taken_in_any_case_and_the_own_template_has_one():
    assert read_template(" Llama3-Instruct\n") == read_template("llama3-instruct")
    assert read_template("AUTO") is None
