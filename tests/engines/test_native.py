"""The NATIVE engine on real Transformers, with the model in this package."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from oumi.core.configs import (  # noqa: E402
    GuidedDecodingParams,
    ModelParams,
)
from oumi.core.types import FinishReason, ToolDefinition  # noqa: E402
from oumi.errors import (  # noqa: E402
    ConfigError,
    EngineError,
    ModelNotFoundError,
    UnsupportedError,
)
from oumi.inference import LlamaCppInferenceEngine, NativeTextInferenceEngine  # noqa: E402
from oumi.models import TINY  # noqa: E402
from tests.conftest import answers, ask, sums  # noqa: E402
from tests.engines.asking import batch_answers, generation, text  # noqa: E402
from tests.guide import extract_product  # noqa: E402
from tests.shapes import PRODUCT, assert_product  # noqa: E402


@pytest.fixture(scope="module")
def native() -> Iterator[NativeTextInferenceEngine]:
    with NativeTextInferenceEngine(ModelParams(torch_dtype="float32")) as loaded:
        yield loaded


def test_greedy_text_is_that_of_llama_cpp(native):
    rows = sums(40) + [ask(f"What is the capital of {c}?") for c in ("France", "Spain", "Peru")]
    rows += [ask("How do I read a file in Python?"), ask("Hello!"), ask("Who are you?")]
    with LlamaCppInferenceEngine() as other:
        expected = answers(other.infer(rows, generation(max_new_tokens=64)))
    assert answers(native.infer(rows, generation(max_new_tokens=64))) == expected


def test_batches_answer_as_single_rows_do(native):
    rows = [*sums(6), ask("Tell me: " + "what is two plus two? " * 8)]
    together = answers(native.infer(rows, generation()))
    assert together == [answers(native.infer([row], generation()))[0] for row in rows]


def test_stops_and_length(native):
    whole = text(native, "What is the capital of France?")
    assert (
        text(native, "What is the capital of France?", stop_strings=["Paris"])
        == (whole.partition("Paris")[0])
    )
    [cut] = native.infer([ask("What is the capital of France?")], generation(max_new_tokens=2))
    assert cut.metadata["finish_reason"] == FinishReason.LENGTH
    assert cut.metadata["usage"]["completion_tokens"] == 2
    [stopped] = native.infer([ask("What is the capital of France?")], generation())
    assert stopped.metadata["finish_reason"] == FinishReason.STOP


def test_a_seed_decides_a_row_whatever_else_is_in_its_batch(native):
    rows = [ask(f"Tell me about {word}") for word in ("cats", "dogs", "the sea", "Rome", "tea")]
    config = generation(temperature=3.0, seed=5)
    forward = answers(native.infer(rows, config))
    backward = answers(native.infer(rows[::-1], config))[::-1]
    assert forward == backward
    assert forward != answers(native.infer(rows, generation(temperature=3.0, seed=6)))


def test_samplers_and_penalties_are_honoured(native):
    greedy = text(native, "What is the capital of France?")
    assert text(native, "What is the capital of France?", temperature=5.0, top_k=1) == greedy
    assert text(native, "What is the capital of France?", temperature=5.0, min_p=1.0) == greedy
    biased = text(native, "What is the capital of France?", logit_bias={greedy[:3]: -100})
    assert not biased.startswith(greedy[:3])
    assert text(native, "Repeat after me: a a a a", frequency_penalty=2.0, presence_penalty=2.0)
    assert "Paris" in text(native, "What is the capital of France?", num_beams=3)


def test_a_schema_is_met_a_hundred_times_of_a_hundred(native):
    guided = GuidedDecodingParams(json=PRODUCT)
    config = generation(guided_decoding=guided, temperature=1.5, seed=1, max_new_tokens=80)
    for conversation in native.infer(sums(100), config):
        assert_product(conversation)


def test_the_block_of_the_guide():
    model = ModelParams(torch_dtype="float32")
    engine, conversation, product = extract_product(NativeTextInferenceEngine, model)
    engine.close()
    assert (product.name, product.price) == ("iPhone 15", 999)
    assert conversation.metadata["structured"] == "native"


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ({"choice": ["red", 'gr"een']}, r'red|gr"een'),
        ({"regex": r"[A-Z]{2}/\d{3}"}, r"[A-Z]{2}/[0-9]{3}"),
        ({"grammar": 'root ::= "yes" | "no"'}, "yes|no"),
    ],
)
def test_other_forms_are_kept(native, form: dict, pattern: str):
    config = generation(guided_decoding=GuidedDecodingParams(**form), temperature=1.5, seed=1)
    for answer in answers(native.infer(sums(20), config)):
        assert re.fullmatch(pattern, answer), answer


def test_streaming_gives_the_same_text_in_pieces(native):
    question = ask("What is the capital of France?")
    pieces = list(native.stream(question, generation()))
    assert len(pieces) > 3
    assert "".join(piece.content for piece in pieces) == text(native, question[0].content)
    stream = native.stream(question, generation(max_new_tokens=1500, logit_bias={2: -100}))
    next(stream)
    started_s = time.monotonic()
    stream.close()
    assert text(native, "Hi")
    assert time.monotonic() - started_s < 30, "a stream that was left stops"


def test_tools_are_called(native):
    tool = ToolDefinition.model_validate(
        {
            "name": "get_weather",
            "description": "Current weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        }
    )
    question = ask("What is the weather in Paris?", tools=[tool])
    [answer] = native.infer([question], generation(max_new_tokens=80))
    assert answer.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    assert answer.messages[-1].tool_calls[0].function.get_arguments_dict() == {"city": "Paris"}


def test_a_prompt_that_is_too_long_fails_alone(native):
    result = native.infer_partial([ask("x " * 5000), ask("Hi")], generation())
    assert "does not fit" in result.error_messages[0]
    assert result.rows == [1]


def test_what_cannot_be_honoured(native):
    with pytest.raises(UnsupportedError, match=r"NATIVE cannot honour generation\.logprobs"):
        text(native, "Hi", logprobs=1)
    with pytest.raises(UnsupportedError, match="num_beams"):
        text(native, "Hi", num_beams=2, temperature=1.0)
    with pytest.raises(ConfigError, match="did you mean 'max_memory'"):
        NativeTextInferenceEngine(ModelParams(model_kwargs={"max_memry": 1}))
    with pytest.raises(ConfigError, match="torch_dtype"):
        NativeTextInferenceEngine(ModelParams(torch_dtype="float31"))
    with pytest.raises(ModelNotFoundError, match="cannot load"):
        NativeTextInferenceEngine(ModelParams(model_name="/nowhere"))


def test_an_adapter_changes_answers(native, tmp_path: Path):
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(TINY / "hf")
    config = peft.LoraConfig(r=2, target_modules=["down_proj"], init_lora_weights=False)
    torch.manual_seed(1)
    adapted = peft.get_peft_model(base, config)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, 0, 0.5)
    adapted.save_pretrained(tmp_path)
    model = ModelParams(torch_dtype="float32", adapter_model=str(tmp_path))
    with NativeTextInferenceEngine(model) as engine:
        assert answers(engine.infer(sums(4), generation())) != answers(
            native.infer(sums(4), generation())
        )


def test_closing_is_final():
    engine = NativeTextInferenceEngine()
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer([ask("Hi")])


RUN = """
import sys
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.inference import NativeTextInferenceEngine
config = InferenceConfig(
    generation=GenerationParams(max_new_tokens=12, batch_size=16),
    input_path=sys.argv[1], output_path=sys.argv[2],
)
NativeTextInferenceEngine(ModelParams(torch_dtype="float32")).infer(None, config)
"""


def test_a_kill_in_mid_run_is_resumed(write_jsonl, tmp_path: Path):
    source = write_jsonl(sums(300))
    unbroken, output = tmp_path / "unbroken.jsonl", tmp_path / "out.jsonl"
    subprocess.run([sys.executable, "-c", RUN, source, unbroken], check=True)
    journal = Path(f"{output}.journal")

    def recorded() -> int:
        return journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0

    process = subprocess.Popen([sys.executable, "-c", RUN, source, output])
    while recorded() < 50 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 50 <= recorded() < 300, "rows are on disk while it runs"
    subprocess.run([sys.executable, "-c", RUN, source, output], check=True)
    assert recorded() == 300
    assert output.read_bytes() == unbroken.read_bytes()


@pytest.mark.timeout(300)
def test_a_batch_job(native):
    rows = sums(6)
    assert batch_answers(native, rows) == answers(native.infer(rows, generation()))
