"""Vision models of random weights, with the tokenizer of oumi-tiny."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from oumi.models import TINY

_TEMPLATE = """
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% for part in message.content if message.content is not string -%}
{%- if part.type == 'image' -%}IMAGE{%- else -%}{{ part.text }}{%- endif -%}
{%- else -%}{{ message.content }}{%- endfor -%}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}
"""
_PATCH = "<|image_pad|>"
_TEXT = {
    "vocab_size": 2056,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
}


class QwenImageProcessor(transformers.ProcessorMixin):
    """That of Qwen2-VL without videos, which would need torchvision."""

    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str | None = None):
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def __call__(self, text: Any = None, images: Any = None, **_: Any) -> Any:
        """One text with as many markers for each image as the model sees patches."""
        [written] = [text] if isinstance(text, str) else text
        flat = [
            one for each in images or () for one in (each if isinstance(each, list) else [each])
        ]
        seen = self.image_processor(flat, return_tensors="pt") if flat else {}
        for grid in seen.get("image_grid_thw", ()):
            patches = int(grid.prod()) // self.image_processor.merge_size**2
            written = written.replace(_PATCH, "PATCH" * patches, 1)
        encoded = self.tokenizer([written.replace("PATCH", _PATCH)], return_tensors="pt")
        ids = encoded["input_ids"]
        kinds = (ids == self.tokenizer.convert_tokens_to_ids(_PATCH)).long()
        return transformers.BatchFeature({**encoded, **seen, "mm_token_type_ids": kinds})


def write_llava(folder: Path) -> Path:
    """One that counts positions from 0 on, images and text alike."""
    tokenizer, ids = _tokenizer(["<image>"])
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(
            **{"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "image_size": 28, "patch_size": 14},
        ),
        text_config=transformers.LlamaConfig(**_TEXT),
        image_token_index=ids["<image>"],
    )
    processor = transformers.LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_TEMPLATE.replace("IMAGE", "<image>"),
    )
    return _write(folder, config, processor)


def write_qwen(folder: Path) -> Path:
    """One in which an image takes up fewer positions than tokens."""
    markers = ["<|vision_start|>", _PATCH, "<|vision_end|>", "<|video_pad|>"]
    tokenizer, ids = _tokenizer(markers)
    config = transformers.Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2},
        text_config={
            **_TEXT,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3]},
        },
        image_token_id=ids[_PATCH],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    transformers.AutoProcessor.register(type(config), QwenImageProcessor, exist_ok=True)
    processor = QwenImageProcessor(
        Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112),
        tokenizer,
        chat_template=_TEMPLATE.replace("IMAGE", "".join(markers[:3])),
    )
    return _write(folder, config, processor)


def _tokenizer(markers: list[str]) -> tuple[Any, dict[str, int]]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(TINY / "hf")
    tokenizer.add_special_tokens({"additional_special_tokens": markers})
    return tokenizer, {marker: tokenizer.convert_tokens_to_ids(marker) for marker in markers}


def _write(folder: Path, config: Any, processor: Any) -> Path:
    torch.manual_seed(1)
    model = transformers.AutoModelForImageTextToText.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() >= 2:
            torch.nn.init.normal_(parameter, 0, 0.3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
