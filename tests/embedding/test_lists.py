"""`engine.embed` on lists of texts."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest

from oumi.core.configs import EmbeddingParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types.embedding import from_base64, to_base64
from oumi.errors import (
    BudgetError,
    ConfigError,
    InferenceError,
    ModelNotFoundError,
    RequestError,
    UnsupportedError,
)
from oumi.inference import (
    AnthropicInferenceEngine,
    LlamaCppInferenceEngine,
    MistralInferenceEngine,
    RemoteInferenceEngine,
    TogetherInferenceEngine,
)
from oumi.models import TINY_GGUF
from tests.fault_server import FaultServer
from tests.fault_server.embeddings import vector

WORDS = "a text of several tokens"


def settings(**fields: Any) -> InferenceConfig:
    return InferenceConfig(embedding=EmbeddingParams(**fields))


def likeness(one: array[float], other: array[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_of_the_model_in_the_package(engine: LlamaCppInferenceEngine):
    texts = ["What is 2 plus 2?", "What is 3 plus 3?", "The capital of France is Paris."]
    result = engine.embed(texts)
    sum_, other_sum, capital = result.vectors
    assert [math.hypot(*one) for one in result.vectors] == pytest.approx([1, 1, 1], abs=1e-5)
    assert likeness(sum_, other_sum) > likeness(sum_, capital)
    assert (result.model, result.rows) == ("oumi-tiny", [0, 1, 2])
    assert result.usage.prompt_tokens > 15
    assert result.usage.completion_tokens == 0


def test_the_same_text_has_the_same_vector_and_the_model_still_answers(
    engine: LlamaCppInferenceEngine,
):
    [alone] = engine.embed("hello world").vectors
    among = engine.embed([*(f"text {i}" for i in range(70)), "hello world"]).vectors[-1]
    assert list(alone) == pytest.approx(list(among), abs=1e-4)
    answer = engine.infer(["What is the capital of France?"])[0]
    assert answer.messages[-1].content == "The capital of France is Paris."


def test_texts_fail_alone(engine: LlamaCppInferenceEngine):
    with pytest.raises(InferenceError, match="2 of 4 rows failed; row 1: an empty text") as caught:
        engine.embed(["one", "", "word " * 3000, "four"])
    result = caught.value.result
    assert result.rows == [0, 3]
    assert len(result.vectors) == 2
    assert "does not fit into the context" in result.failures[2].error_message
    assert result.failed_indices == [1, 2]


@pytest.mark.parametrize("pooling", ["last", "cls"])
def test_another_pooling_gives_other_vectors(pooling: str, engine: LlamaCppInferenceEngine):
    params = ModelParams(model_kwargs={"pooling_type": pooling, "n_parallel": 2})
    with LlamaCppInferenceEngine(params) as other:
        assert other.embed(WORDS).vectors[0] != engine.embed(WORDS).vectors[0]


def test_an_unknown_pooling_is_named():
    with pytest.raises(ConfigError, match=r"model_kwargs\.pooling_type: 'middle'"):
        LlamaCppInferenceEngine(ModelParams(model_kwargs={"pooling_type": "middle"}))


def test_a_model_that_was_made_for_embeddings(tmp_path: Path, engine: LlamaCppInferenceEngine):
    """Its file says what of a text's tokens is its vector, and it generates nothing."""
    path = _with_pooling(tmp_path / "embedder.gguf", gguf.PoolingType.LAST)
    with LlamaCppInferenceEngine(ModelParams(model_name=str(path))) as embedder:
        [found] = embedder.embed(WORDS).vectors
        assert found != engine.embed(WORDS).vectors[0]
        with pytest.raises(RequestError, match="makes embeddings, and no text"):
            embedder.complete("hello")


def _with_pooling(path: Path, pooling: gguf.PoolingType) -> Path:
    """The model in the package, as if it had been made for embeddings."""
    reader = gguf.GGUFReader(str(TINY_GGUF))
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(path, architecture)
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            sub_type = field.types[-1] if field.types[0] is gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type)
    writer.add_pooling_type(pooling)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_requests_of_many_texts(
    remote: RemoteInferenceEngine, server: FaultServer, bodies: Callable[[], list[Any]]
):
    texts = [f"text {i}" for i in range(300)]
    result = remote.embed(texts)
    assert [list(one) for one in result.vectors] == [vector(text) for text in texts]
    sent = bodies()
    assert sorted(len(body["input"]) for body in sent) == [44, 128, 128]
    assert all(body["encoding_format"] == "base64" for body in sent)
    assert all(body["model"] == "m" for body in sent)
    assert result.usage.prompt_tokens == sum(len(text) // 4 + 1 for text in texts)
    assert {seen["path"] for seen in server.stats()["last"]} == {"/v1/embeddings"}


def test_dimensions_and_the_size_of_a_request(
    remote: RemoteInferenceEngine, bodies: Callable[[], list[Any]]
):
    result = remote.embed(["a", "b", "c"], settings(dimensions=8, texts_per_request=2))
    assert [list(one) for one in result.vectors] == [vector(text, 8) for text in "abc"]
    assert sorted(len(body["input"]) for body in bodies()) == [1, 2]
    assert all(body["dimensions"] == 8 for body in bodies())


def test_a_provider_has_fields_of_its_own(server: FaultServer, bodies: Callable[[], list[Any]]):
    params = RemoteParams(api_url=server.api_url, api_key="k")
    model = ModelParams(model_name="mistral-embed")
    with MistralInferenceEngine(model, remote_params=params) as mistral:
        result = mistral.embed("a", settings(dimensions=6))
    assert list(result.vectors[0]) == vector("a", 6)
    assert bodies() == [{"input": ["a"], "model": "mistral-embed", "output_dimension": 6}]


def test_what_an_engine_cannot_do_is_said_with_those_that_can(server: FaultServer):
    params = RemoteParams(api_url=server.api_url, api_key="k")
    model = ModelParams(model_name="m")
    with (
        AnthropicInferenceEngine(model, remote_params=params) as claude,
        pytest.raises(UnsupportedError, match=r"ANTHROPIC makes no embeddings; engines.*LLAMACPP"),
    ):
        claude.embed("a")
    with TogetherInferenceEngine(model, remote_params=params) as together:
        with pytest.raises(UnsupportedError, match=r"embedding\.dimensions; engines.*OPENAI"):
            together.embed("a", settings(dimensions=3))
        with pytest.raises(ConfigError, match="TOGETHER takes 128 at most"):
            together.embed("a", settings(texts_per_request=129))
        with pytest.raises(UnsupportedError, match="batch: not for embeddings"):
            together.embed("a", InferenceConfig(batch=True))
    assert server.stats()["requests"] == 0


def test_a_text_that_is_refused_fails_alone(remote: RemoteInferenceEngine, server: FaultServer):
    server.plan(refused_text="bad")
    texts = [f"text {i}" for i in range(40)]
    texts[0] = texts[17] = "bad"
    with pytest.raises(InferenceError, match="2 of 40 rows failed") as caught:
        remote.embed(texts)
    assert caught.value.result.failed_indices == [0, 17]
    embedded = server.stats()["embedded"]
    assert embedded == {text: 1 for text in texts if text != "bad"}, "none is paid for twice"


def test_requests_that_fail_are_made_again(remote: RemoteInferenceEngine, server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 503}, {"kind": "wrong_choices"}])
    result = remote.embed([f"row-{i}" for i in range(5)])
    assert len(result.vectors) == 5
    assert server.stats()["requests"] == 3


def test_an_unknown_model_ends_it_at_once(remote: RemoteInferenceEngine, server: FaultServer):
    server.plan(faults=[{"kind": "status", "code": 404, "times": None}])
    with pytest.raises(ModelNotFoundError):
        remote.embed([f"row-{i}" for i in range(50)])
    assert server.stats()["requests"] == 1


def test_a_budget_is_kept(remote: RemoteInferenceEngine, server: FaultServer):
    config = settings(texts_per_request=1).merge(InferenceConfig(max_total_tokens=20))
    with pytest.raises(BudgetError, match="max_total_tokens") as caught:
        remote.embed(["a text"] * 50, config)
    assert 0 < len(caught.value.result.vectors) < 20
    assert sum(server.stats()["embedded"].values()) == len(caught.value.result.vectors)


def test_the_cache_is_asked_first(
    remote: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    config = InferenceConfig(cache=str(tmp_path / "cache.sqlite"))
    first = remote.embed(["a", "b"], config)
    again = remote.embed(["b", "c", "a"], config)
    assert again.vectors[0] == first.vectors[1]
    assert server.stats()["embedded"] == {"a": 1, "b": 1, "c": 1}
    remote.embed(["a"], config.merge(settings(dimensions=2)))
    assert server.stats()["embedded"]["a"] == 2, "another length is another vector"


def test_an_event_loop_of_ones_own(remote: RemoteInferenceEngine):
    result = asyncio.run(remote.aembed(["a"]))
    assert list(result.vectors[0]) == vector("a")


def test_base64_is_read_as_it_was_written():
    numbers = array("f", [0.1, -2.5, 3e38])
    assert from_base64(to_base64(numbers)) == numbers
    assert to_base64(array("f", [1.0])) == "AACAPw==", "little-endian"
    with pytest.raises(ValueError, match="multiple of"):
        from_base64("AAA=")
