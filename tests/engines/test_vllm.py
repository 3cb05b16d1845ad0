"""The VLLM engine on real vLLM, with the model in this package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("vllm")

from oumi.core.configs import GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.core.types import FinishReason
from oumi.errors import ConfigError, ModelNotFoundError, UnsupportedError
from oumi.inference import (
    LlamaCppInferenceEngine,
    NativeTextInferenceEngine,
    VLLMInferenceEngine,
)
from tests.conftest import answers, ask, sums
from tests.engines.adapters import write_adapter
from tests.engines.asking import batch_answers, generation, text, token
from tests.engines.conftest import vllm_params
from tests.guide import extract_product
from tests.inference.test_adapters import write_questions
from tests.remote.talks import TOOL
from tests.shapes import PRODUCT, assert_product


def test_greedy_text_is_that_of_llama_cpp(vllm):
    rows = sums(44) + [ask(f"What is the capital of {c}?") for c in ("France", "Spain", "Peru")]
    rows += [ask("How do I read a file in Python?"), ask("Hello!"), ask("Who are you?")]
    with LlamaCppInferenceEngine() as other:
        expected = answers(other.infer(rows, generation(max_new_tokens=64)))
    found = answers(vllm.infer(rows, generation(max_new_tokens=64)))
    different = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
    assert len(different) <= 1, different  # one text in two hundred was seen to differ


def test_tokens_are_counted_as_they_will_be(vllm):
    row = ask("What is the capital of France?")
    used = vllm.complete(row, generation(max_new_tokens=2)).usage
    assert vllm.count_tokens(row) == used.prompt_tokens


PARIS = "What is the capital of France?"


def test_stop_strings_stop_tokens_and_length_end_an_answer(vllm):
    whole = text(vllm, PARIS)
    before = whole.partition(" France")[0]
    assert before != whole
    assert text(vllm, PARIS, stop_strings=[" France"]) == before
    assert text(vllm, PARIS, stop_token_ids=[token(" France")]) == before
    [cut] = vllm.infer([ask(PARIS)], generation(max_new_tokens=2))
    assert cut.metadata["finish_reason"] == FinishReason.LENGTH


def test_a_stop_string_is_never_shown(vllm):
    row, config = ask(PARIS), generation(stop_strings=["is Paris", "never said"])
    [done] = vllm.infer([row], config)
    pieces = list(vllm.stream(row, config))
    assert "".join(piece.content for piece in pieces) == done.messages[-1].content
    assert pieces[-1].completion.message == done.messages[-1]
    assert done.messages[-1].content.endswith("France ")


def test_settings_of_the_sampler(vllm):
    whole = text(vllm, PARIS)
    assert text(vllm, PARIS, temperature=2.0, top_k=1) == whole
    assert text(vllm, PARIS, temperature=2.0, min_p=1.0) == whole
    assert text(vllm, PARIS, temperature=2.0, top_p=0.001) == whole
    assert " France" in whole
    assert " France" not in text(vllm, PARIS, logit_bias={token(" France"): -100.0})
    samples = {text(vllm, "Tell me something", temperature=2.0, seed=s) for s in range(6)}
    assert len(samples) > 1
    assert text(vllm, "Hi", temperature=2.0, seed=3) == text(vllm, "Hi", temperature=2.0, seed=3)


def test_log_probabilities(vllm):
    [done] = vllm.infer([ask(PARIS)], generation(logprobs=3))
    steps = done.metadata["logprobs"]["content"]
    assert len(steps) == done.metadata["usage"]["completion_tokens"]
    for step in steps:
        likeliest = step["top_logprobs"]
        assert len(likeliest) == 3
        assert step["token"] == likeliest[0]["token"]
        assert 0 >= step["logprob"] == likeliest[0]["logprob"] >= likeliest[1]["logprob"]
    said = "".join(step["token"] for step in steps)
    assert said.startswith(done.messages[-1].content)
    *_, last = vllm.stream(ask(PARIS), generation(logprobs=3))
    streamed = last.completion.logprobs["content"]
    assert [step["token"] for step in streamed] == [step["token"] for step in steps]
    [alone] = vllm.infer([ask(PARIS)], generation(logprobs=0))
    assert alone.metadata["logprobs"]["content"][0]["top_logprobs"] == []


def test_an_adapter_changes_answers_as_it_says(vllm, equipped_vllm, adapter: Path):
    rows = sums(20)
    model = ModelParams(torch_dtype="float32", adapter_model=str(adapter))
    with NativeTextInferenceEngine(model) as native:
        expected = [answer.strip() for answer in answers(native.infer(rows, generation()))]
    # Its parser takes a thought without an end for the whole of an answer.
    found = [
        (done.messages[-1].reasoning_content or done.messages[-1].content).strip()
        for done in equipped_vllm.infer(rows, generation())
    ]
    different = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
    assert len(different) <= 2, different  # rounding turns one text now and then
    plain = answers(vllm.infer(rows, generation()))
    assert sum(one != other for one, other in zip(plain, found, strict=True)) > 15


def test_rows_name_their_adapters(vllm, vllm_environment: None, tmp_path: Path):
    paths = {
        name: str(write_adapter(tmp_path / name, seed)) for name, seed in (("one", 1), ("two", 2))
    }
    rows = sums(6)
    with VLLMInferenceEngine(vllm_params(adapters=paths)) as engine:
        names = [None, "one", "two"]
        alone = [answers(engine.infer(rows, generation(adapter=name))) for name in names]
        path = write_questions(tmp_path / "in.jsonl", rows, names)
        config = generation().merge(InferenceConfig(input_path=str(path)))
        mixed = answers(engine.infer(inference_config=config))
    for number, texts in enumerate(alone):
        same = sum(a == b for a, b in zip(mixed[number :: len(names)], texts, strict=True))
        assert same >= 5  # rounding turns one text now and then
    assert alone[0] == answers(vllm.infer(rows, generation()))
    assert alone[0] != alone[1] != alone[2] != alone[0]


def test_a_schema_is_met_a_hundred_times_of_a_hundred(vllm):
    guided = GuidedDecodingParams(json=PRODUCT)
    config = generation(guided_decoding=guided, temperature=1.5, seed=1, max_new_tokens=80)
    for conversation in vllm.infer(sums(100), config):
        assert_product(conversation)


def test_the_block_of_the_guide(vllm):
    _, conversation, product = extract_product(lambda **_: vllm, vllm_params())
    assert (product.name, product.price) == ("iPhone 15", 999)
    assert conversation.metadata["structured"] == "native"


def test_another_backend_is_given_the_schema_itself(vllm_environment):
    guided = GuidedDecodingParams(json=PRODUCT)
    config = generation(guided_decoding=guided, max_new_tokens=80)
    xgrammar = {"structured_outputs_config": {"backend": "xgrammar"}}
    with VLLMInferenceEngine(vllm_params(model_kwargs=xgrammar)) as engine:
        for conversation in engine.infer(sums(5), config):
            assert_product(conversation)


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


def test_settings_that_only_schedule_ask_for_nothing_anew(vllm):
    quicker = vllm_params(model_kwargs={"max_num_seqs": 7, "gpu_memory_utilization": 0.5})
    slower = vllm_params()
    both = [vllm._backend.identity(InferenceConfig(model=model)) for model in (quicker, slower)]
    assert both[0] == both[1]
    assert both[0] != vllm._backend.identity(
        InferenceConfig(model=vllm_params(adapter_model="some"))
    )


def test_a_version_that_is_too_old_says_which_is_needed(tmp_path: Path):
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").write_text("__version__ = '0.8.5'\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    code += "import oumi.inference; oumi.inference.VLLMInferenceEngine()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "VLLM needs vLLM 0.31 or later; vLLM 0.8.5 is installed" in done.stderr


@pytest.mark.timeout(300)
def test_a_batch_job(vllm):
    rows = sums(6)
    assert batch_answers(vllm, rows) == answers(vllm.infer(rows, generation()))


def test_the_prompt_is_that_of_llama_cpp(vllm):
    rows = [ask("Hi"), ask("2+2?", tools=[TOOL])]
    with LlamaCppInferenceEngine() as other:
        prompts = [other.apply_chat_template(row) for row in rows]
    assert [vllm.apply_chat_template(row) for row in rows] == prompts
    assert vllm.list_models() == ["oumi-tiny"]


def test_prompts_are_counted_before_they_are_asked(vllm):
    rows = [*sums(3), ask("Zwölf Boxkämpfer — 東京 🎉 <|im_end|>")]
    found = vllm.estimate(rows, generation())
    done = vllm.infer(rows, generation())
    tokens = sum(row.metadata["usage"]["prompt_tokens"] for row in done)
    assert (found.counted, found.prompt_tokens) == (True, (tokens, tokens))
    assert found.prompts[0] == vllm.apply_chat_template(rows[0])
