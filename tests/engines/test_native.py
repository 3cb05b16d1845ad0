"""The NATIVE engine on real Transformers, with the model in this package."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from oumi.core.configs import (  # noqa: E402
    GuidedDecodingParams,
    ModelParams,
)
from oumi.core.types import FinishReason  # noqa: E402
from oumi.errors import (  # noqa: E402
    ConfigError,
    UnsupportedError,
)
from oumi.inference import LlamaCppInferenceEngine, NativeTextInferenceEngine  # noqa: E402
from oumi.models import TINY  # noqa: E402
from tests.conftest import answers, ask, sums  # noqa: E402
from tests.engines.asking import batch_answers, generation, text  # noqa: E402
from tests.guide import extract_product  # noqa: E402
from tests.remote.talks import TOOL  # noqa: E402
from tests.shapes import PRODUCT, assert_product  # noqa: E402


def test_greedy_text_is_that_of_llama_cpp(native):
    rows = sums(40) + [ask(f"What is the capital of {c}?") for c in ("France", "Spain", "Peru")]
    rows += [ask("How do I read a file in Python?"), ask("Hello!"), ask("Who are you?")]
    with LlamaCppInferenceEngine() as other:
        expected = answers(other.infer(rows, generation(max_new_tokens=64)))
    assert answers(native.infer(rows, generation(max_new_tokens=64))) == expected


def test_tokens_are_counted_as_they_will_be(native):
    row = ask("What is the capital of France?")
    used = native.complete(row, generation(max_new_tokens=2)).usage
    assert native.count_tokens(row) == used.prompt_tokens


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


def test_beams_keep_a_form_each_on_its_own(native):
    guided = GuidedDecodingParams(regex="[a-c]{3}-[0-9]{2}")
    config = generation(guided_decoding=guided, num_beams=3, frequency_penalty=0.5)
    for answer in answers(native.infer(sums(5), config)):
        assert re.fullmatch("[a-c]{3}-[0-9]{2}", answer), answer


def test_log_probabilities_are_those_of_the_model(native):
    question = "What is the capital of France?"
    [done] = native.infer([ask(question)], generation(logprobs=3, max_new_tokens=6))
    tokens = done.metadata["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == done.messages[-1].content
    for token in tokens:
        likeliest = token["top_logprobs"]
        assert len(likeliest) == 3
        assert {key: token[key] for key in ("token", "bytes", "logprob")} == likeliest[0], "greedy"
        assert likeliest[0]["logprob"] >= likeliest[1]["logprob"] >= likeliest[2]["logprob"]
    assert 0 < sum(math.exp(one["logprob"]) for one in tokens[0]["top_logprobs"]) <= 1.001
    biased = generation(logprobs=0, max_new_tokens=6, logit_bias={tokens[0]["token"]: -100})
    [other] = native.infer([ask(question)], biased)
    first = other.metadata["logprobs"]["content"][0]
    assert first["top_logprobs"] == []
    assert first["logprob"] < tokens[0]["logprob"], "before any setting"


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
    for stop in ("Paris", "of Fr", "France is P", "is."):
        pieces = list(native.stream(question, generation(stop_strings=[stop])))
        expected = text(native, question[0].content, stop_strings=[stop])
        assert "".join(piece.content for piece in pieces) == expected
        assert pieces[-1].completion.message.content == expected
    stream = native.stream(question, generation(max_new_tokens=1500, logit_bias={2: -100}))
    next(stream)
    started_s = time.monotonic()
    stream.close()
    assert text(native, "Hi")
    assert time.monotonic() - started_s < 30, "a stream that was left stops"


def test_a_prompt_that_is_too_long_fails_alone(native):
    result = native.infer_partial([ask("x " * 5000), ask("Hi")], generation())
    assert "does not fit" in result.error_messages[0]
    assert result.rows == [1]


def test_what_cannot_be_honoured(native):
    with pytest.raises(UnsupportedError, match=r"NATIVE cannot honour model\.tool_call_parser"):
        NativeTextInferenceEngine(ModelParams(tool_call_parser="hermes"))
    with pytest.raises(UnsupportedError, match="num_beams"):
        text(native, "Hi", num_beams=2, temperature=1.0)
    with pytest.raises(UnsupportedError, match="no logprobs"):
        text(native, "Hi", num_beams=2, logprobs=1)
    with pytest.raises(ConfigError, match="no token 9999"):
        text(native, "Hi", logit_bias={9999: 1.0})


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


@pytest.mark.timeout(300)
def test_a_batch_job(native):
    rows = sums(6)
    assert batch_answers(native, rows) == answers(native.infer(rows, generation()))


def test_the_prompt_is_that_of_llama_cpp(native):
    rows = [ask("Hi"), ask("2+2?", tools=[TOOL])]
    with LlamaCppInferenceEngine() as other:
        prompts = [other.apply_chat_template(row) for row in rows]
    assert [native.apply_chat_template(row) for row in rows] == prompts
    unended = native.apply_chat_template(rows[0], add_generation_prompt=False)
    assert prompts[0] == unended + "<|im_start|>assistant\n"
    assert native.list_models() == ["oumi-tiny"]


def test_prompts_are_counted_before_they_are_asked(native):
    rows = [*sums(3), ask("Zwölf Boxkämpfer — 東京 🎉 <|im_end|>")]
    found = native.estimate(rows, generation())
    done = native.infer(rows, generation())
    tokens = sum(row.metadata["usage"]["prompt_tokens"] for row in done)
    assert (found.counted, found.prompt_tokens) == (True, (tokens, tokens))
    assert found.prompts[0] == native.apply_chat_template(rows[0])
