"""Models made on the spot from oumi-tiny."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from oumi.models import TINY


def write_model(folder: Path, *, markers: Sequence[str]) -> Path:
    """Write oumi-tiny with its rarest tokens taken for `markers`; the folder."""
    shutil.copytree(TINY / "hf", folder)
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text("utf-8"))
    words = tokenizer["model"]
    for marker in markers:
        # The last merge makes the rarest token, which is the last of the vocabulary.
        words["merges"].pop()
        _, number = words["vocab"].popitem()
        tokenizer["added_tokens"].append(_added(marker, number))
    file.write_text(json.dumps(tokenizer), "utf-8")
    return folder


def _added(marker: str, number: int) -> dict[str, object]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": number, "content": marker, **flags}


_IMAGE_MARKERS = ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>")


def write_vision_model(folder: Path) -> Path:
    """Write an Idefics3 of random weights that reads and writes by oumi-tiny's tokenizer.

    It is one of the few kinds that vLLM loads without torchvision. An image of 28 by 28 pixels is
    one token to it, and three markers around that.
    """
    import torch
    import transformers

    write_model(folder, markers=_IMAGE_MARKERS)
    template = (folder / "chat_template.jinja").read_text("utf-8")
    text = "{%- if part.type == 'text' -%}{{- part.text -}}"
    template = template.replace(text, text + "{%- elif part.type == 'image' -%}{{- '<image>' -}}")
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    vision = {
        **{"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2},
        **{"num_attention_heads": 2, "image_size": 28, "patch_size": 14},
    }
    config = transformers.Idefics3Config(
        vision_config=vision,
        text_config=transformers.LlamaConfig.from_pretrained(TINY / "hf").to_dict(),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=0,
        scale_factor=2,
    )
    torch.manual_seed(0)
    model = transformers.Idefics3ForConditionalGeneration(config).to(torch.float32)
    for weights in model.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, 0, 0.3)
    model.save_pretrained(folder)
    side = {"longest_edge": 28}
    images = transformers.Idefics3ImageProcessor(
        size=side, max_image_size=side, do_image_splitting=False
    )
    transformers.Idefics3Processor(
        images, tokenizer, image_seq_len=1, chat_template=template
    ).save_pretrained(folder)
    return folder
