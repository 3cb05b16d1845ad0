"""Write a checkpoint as the Transformers layout and as GGUF, with the very same values."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file

NAME = "oumi-tiny"
DTYPES = {"float16": np.float16, "float32": np.float32}
FILE_TYPES = {
    "float16": gguf.LlamaFileType.MOSTLY_F16,
    "float32": gguf.LlamaFileType.ALL_F32,
}
Arrays = dict[str, np.ndarray]


def load(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The weights, rounded to float16, and the shape."""
    saved = torch.load(path, weights_only=True)
    arrays = {name: tensor.to(torch.float16).numpy() for name, tensor in saved["model"].items()}
    return arrays, saved["shape"]


def hf_config(shape: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
    """config.json."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **{key: value for key, value in shape.items() if key != "rope_theta"},
        "rope_parameters": {"rope_theta": shape["rope_theta"], "rope_type": "default"},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "dtype": "float16",
    }


def generation_config(ids: dict[str, int]) -> dict[str, Any]:
    """generation_config.json: stop at the end of the turn."""
    return {
        "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "pad_token_id": ids["<|endoftext|>"],
        "do_sample": False,
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_hf(folder: Path, arrays: Arrays, shape: dict[str, Any], tokenizer: Path) -> None:
    """The folder that AutoModelForCausalLM and AutoTokenizer load."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = _token_ids(tokenizer)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(tokenizer / name, folder / name)
    _write_json(folder / "config.json", hf_config(shape, ids))
    _write_json(folder / "generation_config.json", generation_config(ids))
    temporary = folder / "model.safetensors.part"
    save_file(arrays, temporary, metadata={"format": "pt"})
    temporary.replace(folder / "model.safetensors")


def _token_ids(tokenizer: Path) -> dict[str, int]:
    data = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
    return {**data["model"]["vocab"], **{t["content"]: t["id"] for t in data["added_tokens"]}}


def permute(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of Q or K from the half-split rotary order to llama.cpp's interleaved one."""
    rows, width = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, width)
    return halves.swapaxes(1, 2).reshape(rows, width)


def _add_shape(writer: gguf.GGUFWriter, shape: dict[str, Any], dtype: str) -> None:
    writer.add_name(NAME)
    writer.add_license("apache-2.0")
    writer.add_file_type(FILE_TYPES[dtype])
    writer.add_context_length(shape["max_position_embeddings"])
    writer.add_embedding_length(shape["hidden_size"])
    writer.add_feed_forward_length(shape["intermediate_size"])
    writer.add_block_count(shape["num_hidden_layers"])
    writer.add_head_count(shape["num_attention_heads"])
    writer.add_head_count_kv(shape["num_key_value_heads"])
    writer.add_key_length(shape["head_dim"])
    writer.add_value_length(shape["head_dim"])
    writer.add_rope_dimension_count(shape["head_dim"])
    writer.add_rope_freq_base(shape["rope_theta"])
    writer.add_layer_norm_rms_eps(shape["rms_norm_eps"])
    writer.add_vocab_size(shape["vocab_size"])


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Path) -> None:
    data = json.loads((tokenizer / "tokenizer.json").read_text(encoding="utf-8"))
    ids = _token_ids(tokenizer)
    special = {token["content"] for token in data["added_tokens"]}
    tokens = sorted(ids, key=ids.__getitem__)
    kinds = [gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in data["model"]["merges"]])
    writer.add_eos_token_id(ids["<|im_end|>"])
    writer.add_eot_token_id(ids["<|im_end|>"])
    writer.add_pad_token_id(ids["<|endoftext|>"])
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template((tokenizer / "chat_template.jinja").read_text(encoding="utf-8"))


def _add_weights(
    writer: gguf.GGUFWriter, arrays: Arrays, shape: dict[str, Any], dtype: str
) -> None:
    layers = shape["num_hidden_layers"]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, layers)
    for name, array in arrays.items():
        if name.endswith("q_proj.weight"):
            array = permute(array, shape["num_attention_heads"])
        elif name.endswith("k_proj.weight"):
            array = permute(array, shape["num_key_value_heads"])
        target = names.get_name(name, try_suffixes=(".weight",))
        kind = np.float32 if array.ndim == 1 else DTYPES[dtype]
        writer.add_tensor(target, np.ascontiguousarray(array.astype(kind)))


def write_gguf(
    path: Path, arrays: Arrays, shape: dict[str, Any], tokenizer: Path, dtype: str
) -> None:
    """One GGUF file; norms are float32 in any case."""
    temporary = path.with_suffix(".part")
    writer = gguf.GGUFWriter(temporary, "llama")
    _add_shape(writer, shape, dtype)
    _add_tokenizer(writer, tokenizer)
    _add_weights(writer, arrays, shape, dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    temporary.replace(path)


def main() -> None:
    """Parse the options and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("tokenizer", type=Path, help="the folder that tokenizer.py wrote")
    parser.add_argument("target", type=Path, help="a folder, or a .gguf path for that file alone")
    parser.add_argument("--dtype", choices=DTYPES, default="float16", help="of the GGUF")
    options = parser.parse_args()
    arrays, shape = load(options.checkpoint)
    path = options.target
    if path.suffix != ".gguf":
        write_hf(path / "hf", arrays, shape, options.tokenizer)
        path = path / f"{NAME}.gguf"
    write_gguf(path, arrays, shape, options.tokenizer, options.dtype)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
