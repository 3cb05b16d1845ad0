"""The VLLM engine on real vLLM, with the model in this package."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("vllm")

from oumi.core.configs import (
    GuidedDecodingParams,
    ModelParams,
)
from oumi.core.types import FinishReason
from oumi.errors import ConfigError, ModelNotFoundError, UnsupportedError
from oumi.inference import LlamaCppInferenceEngine, VLLMInferenceEngine
from tests.conftest import answers, ask, sums
from tests.engines.asking import batch_answers, generation, text
from tests.guide import extract_product
from tests.shapes import PRODUCT, assert_product

MODEL = ModelParams(
    torch_dtype="float32", model_max_length=1024, model_kwargs={"enforce_eager": True}
)


@pytest.fixture(scope="module", autouse=True)
def _small_cache() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


@pytest.fixture(scope="module")
def vllm(_small_cache: None) -> Iterator[VLLMInferenceEngine]:
    with VLLMInferenceEngine(MODEL) as loaded:
        yield loaded


def test_greedy_text_is_that_of_llama_cpp(vllm):
    rows = sums(44) + [ask(f"What is the capital of {c}?") for c in ("France", "Spain", "Peru")]
    rows += [ask("How do I read a file in Python?"), ask("Hello!"), ask("Who are you?")]
    with LlamaCppInferenceEngine() as other:
        expected = answers(other.infer(rows, generation(max_new_tokens=64)))
    found = answers(vllm.infer(rows, generation(max_new_tokens=64)))
    different = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
    assert len(different) <= 1, different  # one text in two hundred was seen to differ


def test_settings_are_honoured(vllm):
    whole = text(vllm, "What is the capital of France?")
    assert (
        text(vllm, "What is the capital of France?", stop_strings=["Paris"])
        == (whole.partition("Paris")[0])
    )
    assert text(vllm, "What is the capital of France?", temperature=2.0, top_k=1) == whole
    [cut] = vllm.infer([ask("What is the capital of France?")], generation(max_new_tokens=2))
    assert cut.metadata["finish_reason"] == FinishReason.LENGTH
    samples = {text(vllm, "Tell me something", temperature=2.0, seed=s) for s in range(6)}
    assert len(samples) > 1
    assert text(vllm, "Hi", temperature=2.0, seed=3) == text(vllm, "Hi", temperature=2.0, seed=3)
    [told] = vllm.infer([ask("Hi")], generation(logprobs=3))
    tokens = told.metadata["logprobs"]["content"]
    assert tokens
    first = text(vllm, "What is the capital of France?", max_new_tokens=1)
    ids = list(range(len(first)))
    assert text(vllm, "What is the capital of France?", logit_bias=dict.fromkeys(ids, -1.0))


def test_a_schema_is_met_a_hundred_times_of_a_hundred(vllm):
    guided = GuidedDecodingParams(json=PRODUCT)
    config = generation(guided_decoding=guided, temperature=1.5, seed=1, max_new_tokens=80)
    for conversation in vllm.infer(sums(100), config):
        assert_product(conversation)


def test_the_block_of_the_guide(vllm):
    _, conversation, product = extract_product(lambda **_: vllm, MODEL)
    assert (product.name, product.price) == ("iPhone 15", 999)
    assert conversation.metadata["structured"] == "native"


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ({"choice": ["red", "green"]}, "red|green"),
        ({"regex": r"[A-Z]{2}/[0-9]{3}"}, r"[A-Z]{2}/[0-9]{3}"),
        ({"grammar": 'root ::= "yes" | "no"'}, "yes|no"),
    ],
)
def test_other_forms_are_kept(vllm, form: dict, pattern: str):
    config = generation(guided_decoding=GuidedDecodingParams(**form), temperature=1.5, seed=1)
    for answer in answers(vllm.infer(sums(20), config)):
        assert re.fullmatch(pattern, answer), answer


def test_streaming_gives_the_same_text_in_pieces(vllm):
    pieces = list(vllm.stream(ask("What is the capital of France?"), generation()))
    assert len(pieces) > 3
    assert pieces[-1].completion.message.content == "".join(piece.content for piece in pieces)
    stream = vllm.stream(ask("Count"), generation(max_new_tokens=900))
    next(stream)
    stream.close()
    assert text(vllm, "Hi")


def test_a_prompt_that_is_too_long_fails_alone(vllm):
    result = vllm.infer_partial([ask("x " * 5000), ask("Hi")], generation())
    assert "does not fit" in result.error_messages[0]
    assert result.rows == [1]


def test_what_cannot_be_honoured(vllm):
    with pytest.raises(UnsupportedError, match=r"VLLM cannot honour generation\.num_beams"):
        text(vllm, "Hi", num_beams=2)
    with pytest.raises(ConfigError, match="temperature must be in"):
        text(vllm, "Hi", temperature=5.0)
    with pytest.raises(ConfigError, match="token ids only"):
        text(vllm, "Hi", logit_bias={"word": 1.0})
    with pytest.raises(ConfigError, match="did you mean 'max_num_seqs'"):
        VLLMInferenceEngine(ModelParams(model_kwargs={"max_num_seq": 1}))
    with pytest.raises(ModelNotFoundError, match="cannot load"):
        VLLMInferenceEngine(ModelParams(model_name="/nowhere"))


SCRIPT = """
import sys
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.inference import VLLMInferenceEngine
print("SCRIPT RUNS", flush=True)
engine = VLLMInferenceEngine(model_params=ModelParams(
    torch_dtype="float32", model_max_length=1024, model_kwargs={"enforce_eager": True}
))
config = InferenceConfig(
    generation=GenerationParams(max_new_tokens=12, batch_size=16),
    input_path=sys.argv[1], output_path=sys.argv[2],
)
engine.infer(None, config)
"""


def children(pid: int) -> list[int]:
    """Processes whose parent is `pid`, and theirs."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    direct = [int(line) for line in found.stdout.split()]
    return direct + [below for child in direct for below in children(child)]


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.mark.timeout(400)
def test_a_plain_script_runs_once_and_a_killed_one_is_resumed(write_jsonl, tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    source, output = write_jsonl(sums(400)), tmp_path / "out.jsonl"
    journal = Path(f"{output}.journal")

    def recorded() -> int:
        return journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0

    command = [sys.executable, str(script), str(source), str(output)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while recorded() < 30 and process.poll() is None:
        time.sleep(0.01)
    left = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 30 <= recorded() < 400, "rows are on disk while it runs"
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("SCRIPT RUNS") == 1
    assert recorded() == 400
    assert len(output.read_text().splitlines()) == 400
    end_s = time.monotonic() + 30
    while time.monotonic() < end_s and any(map(is_alive, left)):
        time.sleep(0.1)
    assert not [pid for pid in left if is_alive(pid)], "no process is left"


@pytest.mark.timeout(300)
def test_a_batch_job(vllm):
    rows = sums(6)
    assert batch_answers(vllm, rows) == answers(vllm.infer(rows, generation()))
