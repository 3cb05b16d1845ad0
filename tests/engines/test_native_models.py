"""NATIVE answers as `generate` does one prompt at a time, whatever kind of model it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

import transformers  # noqa: E402

from oumi.core.configs import GuidedDecodingParams, ModelParams  # noqa: E402
from oumi.inference import NativeTextInferenceEngine  # noqa: E402
from oumi.models import TINY  # noqa: E402
from tests.conftest import answers, ask, sums  # noqa: E402
from tests.engines.asking import generation  # noqa: E402

SMALL = {
    "vocab_size": 2048,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
}
CONFIGS = {
    "positions that are learned": transformers.GPT2Config(
        vocab_size=2048, n_embd=64, n_layer=2, n_head=4, eos_token_id=2, bos_token_id=1
    ),
    "no positions": transformers.BloomConfig(
        vocab_size=2048, hidden_size=64, n_layer=2, n_head=4, eos_token_id=2, pad_token_id=0
    ),
    "a sliding window": transformers.MistralConfig(**SMALL, sliding_window=16),
    "a state in place of keys": transformers.MambaConfig(
        vocab_size=2048, hidden_size=64, num_hidden_layers=2, eos_token_id=2, pad_token_id=0
    ),
}


def write_model(folder: Path, config: transformers.PreTrainedConfig) -> Path:
    """A model of random weights with the tokenizer of oumi-tiny."""
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, 0, 0.3)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(TINY / "hf" / name, folder)
    return folder


def one_by_one(folder: Path, questions: list[str], tokens: int) -> list[str]:
    """What Transformers' own loop makes of each question alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    texts = []
    for question in questions:
        encoded = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )
        made = model.generate(**encoded, max_new_tokens=tokens, do_sample=False, pad_token_id=0)
        ids = made[0, encoded["input_ids"].shape[1] :]
        texts.append(tokenizer.decode(ids, skip_special_tokens=True))
    return texts


@pytest.mark.parametrize("kind", CONFIGS)
def test_rows_that_join_and_leave_are_answered_as_if_alone(kind: str, tmp_path: Path):
    folder = write_model(tmp_path / "model", CONFIGS[kind])
    questions = ["Hi", "What is 2 plus 3?", "Tell me " + "more and " * 12 + "more", "So?", "Now"]
    questions += [f"Number {i}, {'please' * (i % 4)}" for i in range(5)]
    expected = one_by_one(folder, questions, 24)
    assert len(set(expected)) > 5
    model = ModelParams(model_name=str(folder), torch_dtype="float32")
    with NativeTextInferenceEngine(model) as engine:
        config = generation(max_new_tokens=24, batch_size=4)
        assert answers(engine.infer([ask(q) for q in questions], config)) == expected
        guided = generation(guided_decoding=GuidedDecodingParams(choice=["red", "blue"]))
        assert set(answers(engine.infer(sums(6), guided))) <= {"red", "blue"}
