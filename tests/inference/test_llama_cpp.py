"""The LLAMACPP engine on the real runtime, with the model in this package."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
from pathlib import Path

import gguf
import numpy as np
import pytest

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.types import (
    ContentItem,
    Conversation,
    FinishReason,
    Message,
    Role,
    ToolDefinition,
    Type,
)
from oumi.errors import (
    ConfigError,
    EngineError,
    ModelNotFoundError,
    UnsupportedError,
)
from oumi.inference import LlamaCppInferenceEngine, build_engine
from oumi.models import TINY_GGUF
from tests.conftest import answers, ask, short, sums
from tests.shapes import PRODUCT, assert_product


def generation(**fields: object) -> InferenceConfig:
    return InferenceConfig(generation=GenerationParams(**{"max_new_tokens": 24, **fields}))


def one(engine: LlamaCppInferenceEngine, text: str, **fields: object) -> Conversation:
    return engine.infer([ask(text)], generation(**fields))[0]


def test_it_knows_what_it_was_taught(engine):
    sum_, capital, code = answers(
        engine.infer(
            [
                ask("What is 2+2?"),
                ask("What is the capital of France?"),
                ask("How do I read a file in Python?"),
            ],
            generation(max_new_tokens=200),
        )
    )
    assert "4" in sum_
    assert "Paris" in capital
    block = re.search(r"```python\n(.*?)```", code, re.DOTALL)
    compile(block[1], "answer", "exec")


def test_many_at_once_answer_as_one_by_one_does(engine):
    # Well-known facts: where two tokens are nearly as likely, the order of additions may decide.
    countries = "France Spain Italy Germany Japan China Russia Canada Peru Egypt Greece Norway"
    rows = [ask(f"What is the capital of {country}?") for country in countries.split()]
    together = answers(engine.infer(rows, short()))
    assert together == [answers(engine.infer([row], short()))[0] for row in rows]


def test_stop_strings_and_length(engine):
    whole = one(engine, "What is the capital of France?")
    assert whole.metadata["finish_reason"] == FinishReason.STOP
    text = answers([whole])[0]
    stopped = one(engine, "What is the capital of France?", stop_strings=["Paris"])
    assert answers([stopped])[0] == text.partition("Paris")[0]
    cut = one(engine, "What is the capital of France?", max_new_tokens=2)
    assert cut.metadata["finish_reason"] == FinishReason.LENGTH
    assert cut.metadata["usage"]["completion_tokens"] == 2


def test_seeds_decide_samples(engine):
    def sample(seed: int) -> str:
        return answers([one(engine, "Tell me something", temperature=2.0, seed=seed)])[0]

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(8)}) > 1


def test_logit_bias_by_text_and_by_id(engine):
    usual = one(engine, "What is the capital of France?", logprobs=1)
    first = usual.metadata["logprobs"]["content"][0]
    for token in (first["token"], first["id"]):
        biased = one(engine, "What is the capital of France?", logit_bias={token: -100})
        assert not answers([biased])[0].startswith(first["token"])


def test_logprobs_where_asked(engine):
    tokens = one(engine, "Hi", logprobs=3).metadata["logprobs"]["content"]
    assert all(len(token["top_logprobs"]) == 3 for token in tokens)
    assert "logprobs" not in one(engine, "Hi").metadata


@pytest.mark.parametrize(
    ("form", "fits"),
    [
        ({"choice": ["red", 'gr"een', "blue/é"]}, lambda t: t in ["red", 'gr"een', "blue/é"]),
        ({"regex": r"[A-Z]{2}/\d{3}\.x"}, lambda t: re.fullmatch(r"[A-Z]{2}/\d{3}\.x", t)),
        ({"grammar": 'root ::= "yes" | "no"'}, lambda t: t in ["yes", "no"]),
    ],
)
def test_an_answer_has_the_form_that_was_asked_for(engine, form: dict, fits):
    config = generation(guided_decoding=GuidedDecodingParams(**form), temperature=1.5)
    for text in answers(engine.infer(sums(20), config)):
        assert fits(text), text


def test_json_fits_its_schema(engine):
    config = generation(
        guided_decoding=GuidedDecodingParams(json=PRODUCT), temperature=1.5, max_new_tokens=80
    )
    for conversation in engine.infer(sums(40), config):
        assert conversation.metadata["finish_reason"] == FinishReason.STOP
        assert_product(conversation)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"json": {"type": "string", "pattern": "a(?=b)"}, "strict": True}, "/pattern"),
        ({"json": {"allOf": [{"type": "string"}, {"type": "null"}]}}, "nothing satisfies"),
        ({"grammar": "root ::= ("}, "Expected .*at line 1"),
        ({"grammar": "start: nowhere"}, "nowhere"),
    ],
)
def test_a_form_that_cannot_be_kept_is_refused_before_anything_is_asked(engine, form, reason):
    before = engine.asked
    with pytest.raises((UnsupportedError, ConfigError), match=reason):
        engine.infer([ask("Hi")], generation(guided_decoding=GuidedDecodingParams(**form)))
    assert engine.asked == before


def test_tools_are_called(engine):
    tool = ToolDefinition.model_validate(
        {
            "name": "get_weather",
            "description": "Current weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    )
    question = ask("What is the weather in Paris?", tools=[tool])
    config = generation(max_new_tokens=80, tool_choice="required")
    answer, again = engine.infer([question, question], config)
    assert answer.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    call = answer.messages[-1].tool_calls[0]
    assert call.function.name == "get_weather"
    assert "city" in call.function.get_arguments_dict()
    assert answer == again, "nothing random stands in an answer"
    reply = Message(role=Role.TOOL, tool_call_id=call.id, content="18 degrees, sunny")
    continued = answer.model_copy(update={"messages": [*answer.messages, reply]})
    assert engine.infer([continued], generation(max_new_tokens=60))[0].messages[-1].content


def test_streaming_gives_the_same_text_in_pieces(engine):
    question = ask("What is the capital of France?")
    pieces = list(engine.stream(question, generation()))
    assert len(pieces) > 3
    whole = pieces[-1].completion
    assert "".join(piece.content for piece in pieces) == whole.message.content
    assert [whole.message.content] == answers(engine.infer([question], generation()))
    assert whole.usage.completion_tokens > 0


def test_a_stream_that_is_left_stops(engine):
    stream = engine.stream(ask("Count"), generation(max_new_tokens=1500, logit_bias={2: -100}))
    next(stream)
    stream.close()
    assert answers(engine.infer([ask("What is 2+2?")], generation()))


def test_the_same_inside_a_running_event_loop(engine):
    async def main() -> None:
        question = ask("What is the capital of France?")
        blocking = engine.infer([question], generation())
        awaited = await engine.ainfer([question], generation())
        streamed = [piece.content async for piece in engine.astream(question, generation())]
        assert blocking == awaited
        assert "".join(streamed) == awaited[0].messages[-1].content
        results = await asyncio.gather(*(engine.ainfer([row], short()) for row in sums(5)))
        assert len(results) == 5

    asyncio.run(main())


def test_threads_may_share_an_engine(engine):
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.extend(answers(engine.infer(sums(5), short()))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert len(set(results)) <= 5


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"num_beams": 4}, "LLAMACPP cannot honour generation.num_beams"),
        ({"stop_token_ids": [3]}, "LLAMACPP cannot honour generation.stop_token_ids"),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_an_error(engine, fields: dict, reason: str):
    with pytest.raises(UnsupportedError, match=reason):
        one(engine, "Hi", **fields)


def test_an_image_needs_a_vision_model(engine):
    image = ContentItem(type=Type.IMAGE_BINARY, binary=b"\x89PNG\r\n\x1a\n")
    row = Conversation(messages=[Message(role=Role.USER, content=[image])])
    result = engine.infer_partial([row, ask("Hi")], generation())
    assert "mmproj" in result.error_messages[0]
    assert result.rows == [1]


@pytest.mark.parametrize(
    ("model", "error", "reason"),
    [
        ({"model_kwargs": {"n_paralel": 2}}, ConfigError, "did you mean 'n_parallel'"),
        ({"model_kwargs": {"n_parallel": "two"}}, ConfigError, "n_parallel: 'two'"),
        ({"model_kwargs": {"port": 1}}, ConfigError, "the engine sets it"),
        ({"model_name": "nowhere.gguf"}, ModelNotFoundError, "no model 'nowhere.gguf'"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why(model: dict, error: type, reason: str):
    with pytest.raises(error, match=reason):
        LlamaCppInferenceEngine(ModelParams(**model))


def test_files_that_are_no_models(tmp_path: Path):
    noise = tmp_path / "noise.gguf"
    noise.write_bytes(os.urandom(1000))
    with pytest.raises(ModelNotFoundError, match="not a GGUF file"):
        LlamaCppInferenceEngine(ModelParams(model_name=str(noise)))
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(TINY_GGUF.read_bytes()[:100_000])
    with pytest.raises(ModelNotFoundError, match="the file is cut off"):
        LlamaCppInferenceEngine(ModelParams(model_name=str(torn)))
    with pytest.raises(ModelNotFoundError, match=r"did you mean .*torn\.gguf"):
        LlamaCppInferenceEngine(ModelParams(model_name=str(tmp_path / "tron.gguf")))


def test_a_model_by_path_and_from_the_hub_cache(tmp_path: Path, monkeypatch):
    revision = "0" * 40
    repo = tmp_path / "hub" / "models--someone--tiny-GGUF"
    snapshot = repo / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(revision)
    shutil.copy(TINY_GGUF, snapshot / "tiny.gguf")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    few = {"n_parallel": 2, "n_threads": 1}
    for model in (
        ModelParams(model_name=str(snapshot / "tiny.gguf"), model_kwargs=few),
        ModelParams(model_name="someone/tiny-GGUF:tiny.gguf", model_kwargs=few),
        ModelParams(model_name="someone/tiny-GGUF", model_kwargs={"filename": "tiny.gguf", **few}),
    ):
        with LlamaCppInferenceEngine(model) as engine:
            assert "Paris" in answers([one(engine, "What is the capital of France?")])[0]
    with pytest.raises(ModelNotFoundError, match="not to be had from the hub"):
        LlamaCppInferenceEngine(ModelParams(model_name="someone/tiny-GGUF:other.gguf"))


def write_adapter(path: Path, seed: int = 1) -> None:
    """A LoRA adapter of rank 2 that turns the last layer's output a little."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 2.0)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(str(TINY_GGUF)).tensors}
    last = max(int(name.split(".")[1]) for name in tensors if name.startswith("blk."))
    name = f"blk.{last}.ffn_down.weight"
    columns, rows = (int(size) for size in tensors[name].shape)
    random = np.random.default_rng(seed)
    writer.add_tensor(f"{name}.lora_a", random.normal(0, 1, (2, columns)).astype(np.float32))
    writer.add_tensor(f"{name}.lora_b", random.normal(0, 1, (rows, 2)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_an_adapter_changes_answers(engine, tmp_path: Path):
    path = tmp_path / "adapter.gguf"
    write_adapter(path)
    model = ModelParams(adapter_model=str(path), model_kwargs={"n_parallel": 4})
    with LlamaCppInferenceEngine(model) as adapted:
        changed = answers(adapted.infer(sums(8), short()))
    assert changed != answers(engine.infer(sums(8), short()))
    with pytest.raises(ModelNotFoundError, match="no model"):
        LlamaCppInferenceEngine(ModelParams(adapter_model="nowhere.gguf"))


def test_an_adapter_trained_anew_in_its_place_is_asked_anew(tmp_path: Path):
    model = ModelParams(adapter_model=str(tmp_path / "a.gguf"), model_kwargs={"n_parallel": 4})
    output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"), overwrite=True)
    for seed, asked in ((1, 3), (1, 0), (2, 3)):
        write_adapter(tmp_path / "a.gguf", seed)
        with LlamaCppInferenceEngine(model, generation_params=short().generation) as adapted:
            adapted.infer(sums(3), output)
            assert adapted.asked == asked


def thread_count() -> int:
    return len(os.listdir("/proc/self/task"))


def memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
def test_closing_frees_memory_and_threads(engine):
    model = ModelParams(model_max_length=2048, model_kwargs={"n_parallel": 32})
    engine.infer([ask("Hi")], short())
    threads = thread_count()
    sizes = []
    for _ in range(4):
        with LlamaCppInferenceEngine(model) as second:
            second.infer(sums(4), short())
        sizes.append(memory_mb())
        assert thread_count() == threads
    assert sizes[-1] - sizes[0] < 60
    second.close()
    with pytest.raises(EngineError, match="closed"):
        second.infer([ask("Hi")], short())


def test_another_model_needs_another_engine(engine):
    config = InferenceConfig(model=ModelParams(model_name="other.gguf"))
    with pytest.raises(ConfigError, match="make another engine"):
        engine.infer([ask("Hi")], config)


def test_the_engine_that_fits_a_model():
    with build_engine(InferenceConfig()) as engine:
        assert isinstance(engine, LlamaCppInferenceEngine)
    gguf = InferenceConfig(model=ModelParams(model_name="nowhere.gguf"))
    with pytest.raises(ModelNotFoundError, match="no model"):
        build_engine(gguf)


def test_the_callers_objects_stay_as_they_were(engine):
    row, config = ask("Hi"), short()
    before = (row.to_json(), config.model_dump_json())
    engine.infer([row], config)
    assert (row.to_json(), config.model_dump_json()) == before
