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

    return_mm_token_type_ids = True
    image_token = "<|image_pad|>"

    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str | None = None):
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def replace_image_token(self, image_inputs: dict[str, Any], image_idx: int, **_: Any) -> str:
        """As many marks as the model sees patches."""
        patches = image_inputs["image_grid_thw"][image_idx].prod()
        return self.image_token * int(patches // self.image_processor.merge_size**2)


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
    marks = ["<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>"]
    tokenizer, ids = _tokenizer(marks)
    config = transformers.Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2},
        text_config={
            **_TEXT,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3]},
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    transformers.AutoProcessor.register(type(config), QwenImageProcessor, exist_ok=True)
    processor = QwenImageProcessor(
        Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112),
        tokenizer,
        chat_template=_TEMPLATE.replace("IMAGE", "".join(marks[:3])),
    )
    return _write(folder, config, processor)


def _tokenizer(marks: list[str]) -> tuple[Any, dict[str, int]]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(TINY / "hf")
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    return tokenizer, {mark: tokenizer.convert_tokens_to_ids(mark) for mark in marks}


def _write(folder: Path, config: Any, processor: Any) -> Path:
    torch.manual_seed(1)
    model = transformers.AutoModelForImageTextToText.from_config(config)
    for parameter in model.parameters():
        if parameter.dim() >= 2:
            torch.nn.init.normal_(parameter, 0, 0.3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
