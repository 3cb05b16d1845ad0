"""What cannot be loaded names its own cause, before llama.cpp sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest

from oumi.backends.local.llama_cpp.gguf_header import read_header
from oumi.backends.local.llama_cpp.load_check import slots_that_fit
from oumi.backends.local.memory import free_bytes
from oumi.core.configs import ModelParams
from oumi.errors import ConfigError, ModelNotFoundError
from oumi.inference import LlamaCppInferenceEngine
from oumi.models import TINY_GGUF
from tests.conftest import answers, ask, short

FEW = {"n_parallel": 2, "n_threads": 1}


def load(name: object, **fields: Any) -> LlamaCppInferenceEngine:
    kwargs = {**FEW, **fields.pop("model_kwargs", {})}
    return LlamaCppInferenceEngine(ModelParams(model_name=str(name), model_kwargs=kwargs, **fields))


def write_split(folder: Path) -> list[Path]:
    """The model in this package in two files."""
    reader = gguf.GGUFReader(str(TINY_GGUF))
    most = len(reader.tensors) // 2 + 1
    writer = gguf.GGUFWriter(str(folder / "m.gguf"), "llama", split_max_tensors=most)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(name, field.contents())
        else:
            writer.add_key_value(name, field.contents(), field.types[0])
    for tensor in reader.tensors:
        is_quantized = tensor.tensor_type not in (0, 1)
        shape = tensor.data.shape if is_quantized else None
        writer.add_tensor(tensor.name, tensor.data, raw_shape=shape, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("m-*.gguf"))


def test_a_model_in_parts(tmp_path: Path, engine: LlamaCppInferenceEngine):
    first, second = write_split(tmp_path)
    question = [ask("What is the capital of France?")]
    for name in (first, tmp_path):
        with load(name) as split:
            assert answers(split.infer(question, short())) == answers(
                engine.infer(question, short())
            )
    with load(first) as split:
        before = split.session().identity["files"]
    data = bytearray(second.read_bytes())
    data[-4000:] = bytes(4000)
    second.write_bytes(data)
    with load(first) as split:
        assert split.session().identity["files"] != before, "all parts are part of the key"
    with pytest.raises(ModelNotFoundError, match="part 2 of 2 of a model; name the first one"):
        load(second)
    second.unlink()
    with pytest.raises(ModelNotFoundError, match=r"00002-of-00002\.gguf: part 2 of 2 .* missing"):
        load(first)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a GGUF file: it is empty"),
        (b"<html>404</html>", "it begins with b'<html>40'"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run git lfs pull"),
        (TINY_GGUF.read_bytes()[:3_000_000], "is cut off: it has 3,000,000 bytes, and its last"),
        (TINY_GGUF.read_bytes()[:50_000], "its metadata is cut off or damaged"),
    ],
    ids=["empty", "page", "pointer", "weights", "metadata"],
)
@pytest.mark.parametrize("part", ["model_name", "adapter_model", "mmproj"])
def test_a_file_that_holds_no_model(tmp_path: Path, content: bytes, reason: str, part: str):
    path = tmp_path / "some.gguf"
    path.write_bytes(content)
    fields: dict[str, Any] = {part: str(path)}
    if part == "mmproj":
        fields = {"model_kwargs": fields}
    with pytest.raises(ModelNotFoundError, match=reason):
        load(**{"name": TINY_GGUF, **fields} if part != "model_name" else {"name": path})


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"adapter_model": str(TINY_GGUF)}, ModelNotFoundError, "no adapter: it is a llama model"),
        ({"model_kwargs": {"mmproj": str(TINY_GGUF)}}, ModelNotFoundError, "no projector: it is a"),
        ({"model_kwargs": {"mmproj": "./no.gguf"}}, ModelNotFoundError, "mmproj: .*no such file"),
        ({"model_kwargs": {"n_parallel": 0}}, ConfigError, "n_parallel: 0 is not from 1 to 256"),
        ({"model_kwargs": {"n_parallel": 9_999}}, ConfigError, "9999 is not from 1 to 256"),
        ({"model_kwargs": {"cache_type_k": 999}}, ConfigError, "cache_type_k: 999 is no type of a"),
        ({"model_max_length": 900_000_000}, ConfigError, r"2 slots .* need [\d.]+ GiB .* are free"),
    ],
)
def test_settings_that_cannot_be_loaded(fields: dict[str, Any], error: type, reason: str):
    with pytest.raises(error, match=reason):
        load(TINY_GGUF, **fields)


def test_an_adapter_of_another_kind_of_model(tmp_path: Path):
    path = tmp_path / "adapter.gguf"
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_type("adapter")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelNotFoundError, match=r"of a qwen2 model, and .* a llama"):
        load(TINY_GGUF, adapter_model=str(path))


def test_a_folder_of_several_models(tmp_path: Path):
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).symlink_to(TINY_GGUF)
    with pytest.raises(ModelNotFoundError, match=r"which \.gguf file\?.*a\.gguf, b\.gguf"):
        load(tmp_path)


def test_slots_are_as_many_as_there_is_memory_for():
    header, none = read_header(TINY_GGUF), {}
    assert slots_that_fit(header, 4096, none, default=8) == 8
    # Of a context for which half of the memory is needed, one or two fit and eight do not.
    bytes_of_token = 2 * 2 * header.number("block_count") * 256
    long = free_bytes() // (2 * bytes_of_token)
    assert 1 <= slots_that_fit(header, long, none, default=8) < 8
    with pytest.raises(ConfigError, match=r"8 slots of .* GiB are free"):
        slots_that_fit(header, long, {"n_parallel": 8}, default=8)
