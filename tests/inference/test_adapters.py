"""Several adapters in one engine, of which each row names its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from oumi.backends.registry import check_settings, find_engine
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.types import Conversation
from oumi.errors import ConfigError, UnsupportedError
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import answers, short, sums
from tests.inference.test_llama_cpp import generation, write_adapter


def write_questions(path: Path, rows: Sequence[Conversation], names: Sequence[str | None]) -> Path:
    """Write each question once for each adapter, which a column names."""
    questions = [row.messages[0].content for row in rows]
    lines = [
        json.dumps({"prompt": question, "adapter": name})
        for question in questions
        for name in names
    ]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCppInferenceEngine]:
    """The model with two adapters that have names."""
    folder = tmp_path_factory.mktemp("adapters")
    paths = {name: str(folder / f"{name}.gguf") for name in ("one", "two")}
    for seed, path in enumerate(paths.values(), start=1):
        write_adapter(Path(path), seed)
    with LlamaCppInferenceEngine(
        ModelParams(adapters=paths, model_kwargs={"n_parallel": 4})
    ) as loaded:
        yield loaded


def test_rows_name_their_adapters(engine, adapted, tmp_path: Path):
    names = [None, "one", "two"]
    path = write_questions(tmp_path / "in.jsonl", sums(8), names)
    mixed = answers(adapted.infer(inference_config=short(input_path=str(path))))
    for number, name in enumerate(names):
        alone = answers(adapted.infer(sums(8), generation(max_new_tokens=16, adapter=name)))
        assert _same(mixed[number :: len(names)], alone) >= 6  # rounding turns one now and then
    assert _same(mixed[::3], answers(engine.infer(sums(8), short()))) >= 6
    assert _same(mixed[::3], mixed[1::3]) <= 2
    assert _same(mixed[1::3], mixed[2::3]) <= 2


def _same(texts: Sequence[str], others: Sequence[str]) -> int:
    return sum(one == other for one, other in zip(texts, others, strict=True))


def test_an_adapter_is_part_of_the_key(adapted, tmp_path: Path):
    output = tmp_path / "out.jsonl"
    for name, asked in (("one", 3), ("one", 0), ("two", 3), (None, 3)):
        before = adapted.asked
        config = short(output_path=str(output), overwrite=True)
        config.generation.adapter = name
        adapted.infer(sums(3), config)
        assert adapted.asked - before == asked


def test_engines_without_them_name_those_that_can():
    config = InferenceConfig(model=ModelParams(adapters={"one": "a/b"}))
    with pytest.raises(UnsupportedError, match=r"NATIVE .*adapters; engines that can: .*LLAMACPP"):
        check_settings(find_engine("NATIVE"), config)


def test_an_unknown_adapter_is_named(adapted):
    with pytest.raises(ConfigError, match=r"'on' is none of model\.adapters; did you mean 'one'"):
        adapted.infer(sums(1), generation(adapter="on"))
