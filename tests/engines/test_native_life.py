"""What the NATIVE engine loads and refuses, and how it ends: closed, stopped, killed."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402

from oumi.core.configs import ModelParams  # noqa: E402
from oumi.core.types import Conversation  # noqa: E402
from oumi.errors import (  # noqa: E402
    ConfigError,
    EngineError,
    MissingDependencyError,
    ModelNotFoundError,
)
from oumi.inference import NativeTextInferenceEngine  # noqa: E402
from oumi.models import TINY, TINY_GGUF  # noqa: E402
from tests.conftest import answers, ask, sums  # noqa: E402
from tests.engines.asking import generation, text  # noqa: E402


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"model_name": "/nowhere"}, ModelNotFoundError, "/nowhere: no such folder"),
        ({"model_name": str(TINY_GGUF)}, ModelNotFoundError, "GGUF files are for LLAMACPP"),
        ({"model_name": "owner/repo:model.gguf"}, ModelNotFoundError, "LLAMACPP"),
        ({"model_name": str(TINY)}, ModelNotFoundError, "no config.json"),
        ({"adapter_model": "/nowhere"}, ModelNotFoundError, "/nowhere"),
        ({"tokenizer_name": "/nowhere"}, ModelNotFoundError, "/nowhere"),
        ({"torch_dtype": "float31"}, ConfigError, "torch_dtype: 'float31' is none of auto"),
        ({"device_map": "cuda:7"}, ConfigError, "no 'cuda:7' here; there is: cpu"),
        ({"device_map": "gpu"}, ConfigError, "gpu"),
        ({"attn_implementation": "quick"}, ConfigError, "quick"),
        ({"model_max_length": 4096}, ConfigError, "4,096 is more than the 2,048 positions"),
        ({"model_kwargs": {"max_memry": 1}}, ConfigError, "did you mean 'max_memory'"),
    ],
)
def test_what_cannot_be_loaded_says_why(fields: dict, error: type[Exception], reason: str):
    with pytest.raises(error, match=reason):
        NativeTextInferenceEngine(ModelParams(**fields))


def copied(folder: Path, **changes: object) -> Path:
    """The model in this package with another config."""
    shutil.copytree(TINY / "hf", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


@pytest.mark.parametrize(
    ("changes", "length", "reason"),
    [
        (
            {"hidden_size": 2**19, "head_dim": 2**17},
            None,
            r"weights take [\d.]+ GiB as torch.float16",
        ),
        ({"max_position_embeddings": 10**10}, 10**10, "one row of 10,000,000,000 tokens"),
    ],
)
def test_what_does_not_fit_into_the_memory_is_not_begun(
    tmp_path: Path, changes: dict, length: int | None, reason: str
):
    folder = copied(tmp_path / "model", **changes)
    with pytest.raises(ConfigError, match=f"{reason}.* GiB are free"):
        NativeTextInferenceEngine(ModelParams(model_name=str(folder), model_max_length=length))


def test_weights_that_lack_are_named(tmp_path: Path):
    folder = copied(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    save_file({**weights, name: weights[name][:3]}, folder / "model.safetensors", {"format": "pt"})
    params = ModelParams(model_name=str(folder))
    with pytest.raises(ModelNotFoundError, match=rf"{name}: \(3, 256\) in place of \(256, 256\)"):
        NativeTextInferenceEngine(params)
    del weights[name]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelNotFoundError, match=f"lack 1 of the model's weights, such as {name}"):
        NativeTextInferenceEngine(params)


def test_a_model_trained_on_in_its_place_has_other_keys(tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(TINY / "hf", folder)
    first = identity_of(folder)
    assert identity_of(folder) == first
    weights = load_file(folder / "model.safetensors")
    trained = {name: weight * 1.01 for name, weight in weights.items()}
    save_file(trained, folder / "model.safetensors", {"format": "pt"})
    second = identity_of(folder)
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    assert first != second != identity_of(folder)


def identity_of(folder: Path) -> dict[str, object]:
    model = ModelParams(model_name=str(folder))
    with NativeTextInferenceEngine(model) as engine:
        return dict(engine.session().identity)


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="it is installed")
@pytest.mark.parametrize(
    "kwargs", [{"load_in_4bit": True}, {"quantization_config": {"load_in_8bit": True}}]
)
def test_weights_of_a_few_bits_need_a_package(kwargs: dict):
    with pytest.raises(MissingDependencyError, match="pip install bitsandbytes"):
        NativeTextInferenceEngine(ModelParams(model_kwargs=kwargs))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "auto"])
def test_weights_come_in_the_format_that_is_asked_for(dtype: str):
    model = ModelParams(
        torch_dtype=dtype, device_map="cpu", attn_implementation="eager", model_max_length=64
    )
    with NativeTextInferenceEngine(model) as engine:
        assert "Paris" in text(engine, "What is the capital of France?")
        [cut] = engine.infer([ask("Hi")], generation(max_new_tokens=500, logit_bias={2: -100}))
        assert cut.metadata["usage"]["total_tokens"] <= 64


def weights() -> int:
    """Bytes of the large tensors that are alive."""
    gc.collect()
    held = (one for one in gc.get_objects() if issubclass(type(one), torch.Tensor))
    return sum(one.nbytes for one in held if one.nbytes > 100_000)


def test_closing_is_final_and_frees_the_model():
    before = weights()
    engine = NativeTextInferenceEngine(ModelParams(torch_dtype="float32"))
    answers(engine.infer(sums(3), generation(logit_bias={5: 1.0}, frequency_penalty=0.1)))
    assert weights() - before > 10_000_000
    engine.close()
    engine.close()
    assert weights() == before
    with pytest.raises(EngineError, match="closed"):
        engine.infer([ask("Hi")])


RUN = """
import sys
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.inference import NativeTextInferenceEngine
config = InferenceConfig(
    generation=GenerationParams(max_new_tokens=12, batch_size=8),
    input_path=sys.argv[1], output_path=sys.argv[2],
)
NativeTextInferenceEngine(ModelParams(torch_dtype="float32")).infer(None, config)
"""
ROWS = 160


def start(*arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        # On a busy machine threads that wait for each other take ten times as long.
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def children(pid: int) -> str:
    found = subprocess.run(["pgrep", "-g", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout


@pytest.mark.timeout(300)
def test_a_run_that_was_stopped_and_killed_is_resumed(write_jsonl, tmp_path: Path):
    source, output = write_jsonl(sums(ROWS)), tmp_path / "out.jsonl"
    journal = Path(f"{output}.journal")

    def recorded() -> int:
        return journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0

    earlier = 0
    for number in (signal.SIGINT, signal.SIGKILL):
        process = start(source, output)
        while recorded() < earlier + 20 and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(number)
        said, _ = process.communicate(timeout=100)
        assert process.returncode == -number, said
        assert earlier + 20 <= recorded() < ROWS, "rows are on disk while it runs"
        assert children(process.pid) == "", "no process is left"
        earlier = recorded()
    process = start(source, output)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert recorded() == ROWS, "no recorded row is asked for again"
    with NativeTextInferenceEngine(ModelParams(torch_dtype="float32")) as engine:
        expected = answers(engine.infer(sums(ROWS), generation(max_new_tokens=12)))
    lines = output.read_text().splitlines()
    assert answers(map(Conversation.from_json, lines)) == expected
