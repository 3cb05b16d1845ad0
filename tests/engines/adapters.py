"""A LoRA adapter that changes what oumi-tiny says, made of random numbers."""

from __future__ import annotations

import json
from pathlib import Path

_RANK = 8
_WIDTH = 256
_LAYERS = 4


def write_adapter(
    folder: Path, seed: int = 0, *, inside: str = "model", lost: int = 0, misplaced: int = 0
) -> Path:
    """Write an adapter of oumi-tiny in PEFT's layout; its folder.

    `inside` is the name of the module that holds the layers. The first weights can be `lost`, or
    `misplaced` in a layer that there is not.
    """
    import numpy as np
    from safetensors.numpy import save_file

    draw = np.random.default_rng(seed)
    weights = {}
    for layer in range(_LAYERS):
        for part in ("q_proj", "v_proj"):
            place = layer + (_LAYERS if layer < misplaced else 0)
            name = f"base_model.model.{inside}.layers.{place}.self_attn.{part}"
            for half, shape in (("lora_A", (_RANK, _WIDTH)), ("lora_B", (_WIDTH, _RANK))):
                weights[f"{name}.{half}.weight"] = draw.normal(0, 0.2, shape).astype("float32")
    for name in sorted(weights)[:lost]:
        del weights[name]
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "oumi-tiny",
        "r": _RANK,
        "lora_alpha": _RANK,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder
