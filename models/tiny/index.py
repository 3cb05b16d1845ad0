"""Write `weights.json`: where the tensors of `hf/model.safetensors` lie in the GGUF file.

python models/tiny/index.py src/oumi/models/tiny
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import gguf


def main(folder: Path) -> None:
    """Read both files, and write the index."""
    reader = gguf.GGUFReader(folder / "oumi-tiny.gguf")
    header = _header(folder / "hf" / "model.safetensors")
    shape = json.loads((folder / "hf" / "config.json").read_text())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape["num_hidden_layers"])
    found = {tensor.name: tensor for tensor in reader.tensors}
    tensors = [
        _place(found[names.get_name(name, try_suffixes=(".weight",))], name, value, shape)
        for name, value in json.loads(header).items()
        if name != "__metadata__"
    ]
    text = json.dumps({"header": header, "tensors": tensors})
    (folder / "weights.json").write_text(text + "\n")


def _header(path: Path) -> str:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return file.read(length).decode()


def _place(tensor: Any, name: str, value: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    kind = next((heads[part] for part in heads if part in name), None)
    return {
        "offset": int(tensor.data_offset),
        "bytes": int(tensor.n_bytes),
        "rows": value["shape"][0],
        "heads": shape[kind] if kind else 0,
        "float32": tensor.tensor_type == gguf.GGMLQuantizationType.F32,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
