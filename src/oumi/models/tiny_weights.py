"""The weights of `oumi-tiny` in the layout of the Hugging Face hub, made of its GGUF file.

Both files hold the same values, so a wheel has one of them. `weights.json`, which
`models/tiny/index.py` of the repository writes, says where each tensor lies in the GGUF file.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WEIGHTS = "model.safetensors"
INDEX = "weights.json"
GGUF = "oumi-tiny.gguf"


def write_folder(target: Path, tiny: Path) -> None:
    """Make a folder of the small files in the model's `hf` and of the weights.

    It appears whole or not at all; one that another process has made meanwhile stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as unfinished:
        folder = Path(unfinished) / target.name
        shutil.copytree(tiny / "hf", folder)
        index = json.loads((tiny / INDEX).read_text())
        _write_weights(folder / WEIGHTS, index, tiny / GGUF)
        if not target.exists():
            os.rename(folder, target)


def _write_weights(path: Path, index: dict[str, Any], gguf: Path) -> None:
    header = index["header"].encode()
    with gguf.open("rb") as source, path.open("wb") as file:
        # https://github.com/huggingface/safetensors#format
        file.write(struct.pack("<Q", len(header)) + header)
        for tensor in index["tensors"]:
            source.seek(tensor["offset"])
            data = source.read(tensor["bytes"])
            if tensor["heads"]:
                data = b"".join(_by_halves(data, tensor["rows"], tensor["heads"]))
            file.write(_as_float16(data) if tensor["float32"] else data)


def _by_halves(data: bytes, rows: int, heads: int) -> Iterator[bytes]:
    """The rows of Q or K from llama.cpp's interleaved rotary order to the half-split one."""
    size, per_head = len(data) // rows, rows // heads
    for head in range(heads):
        for half in range(2):
            for at in range(half, per_head, 2):
                start = (head * per_head + at) * size
                yield data[start : start + size]


def _as_float16(data: bytes) -> bytes:
    """Norms, which GGUF has as float32; their values are those of float16."""
    count = len(data) // 4
    return struct.pack(f"<{count}e", *struct.unpack(f"<{count}f", data))
