"""Conversations as inputs of a Transformers model: token ids, and tensors of images."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.image_utils import load_image

from oumi.backends.local import chat_template
from oumi.backends.local.native.loading import LoadedModel
from oumi.backends.local.truncation import check_prompt_length
from oumi.backends.media.images import has_images
from oumi.backends.media.item_bytes import is_data_url
from oumi.errors import OumiError, RequestError
from oumi.runner.request import Request


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request as the model's input: token ids, and tensors of its images by argument name."""

    request: Request
    ids: list[int]
    images: dict[str, Any] = field(default_factory=dict)
    begun: str = ""
    """The start of the answer that stands at its end, such as an open `<think>`."""


async def encode(request: Request, model: LoadedModel) -> Prompt:
    """The prompt of a request.

    Raises RequestError for one that does not fit or has unreadable images.
    """
    if not has_images(request.conversation):
        prompt = chat_template.encode(request, model)
        return Prompt(request, prompt.ids, begun=prompt.begun)
    return await asyncio.to_thread(_encode_with_images, request, model)


async def render(request: Request, model: LoadedModel) -> str:
    """The prompt as text. Raises RequestError for one that cannot be made."""
    if not has_images(request.conversation):
        return chat_template.render(request, model)
    text: str = await asyncio.to_thread(_apply_to_images, request, model, tokenize=False)
    return text


def _encode_with_images(request: Request, model: LoadedModel) -> Prompt:
    chat_template.check_images(request, model.tokenizer, "NATIVE")
    encoded = _apply_to_images(request, model, tokenize=True, return_dict=True, return_tensors="pt")
    [ids] = encoded.pop("input_ids").tolist()
    encoded.pop("attention_mask", None)  # all ones: the prompt is alone
    prompt = chat_template.begin_answer(ids, request, model.tokenizer)
    check_prompt_length(len(prompt.ids), model.context_length)
    images = dict(encoded)
    for name, value in images.items():
        if isinstance(value, torch.Tensor) and value.shape == (1, len(ids)):  # one for each token
            added = len(prompt.ids) - len(ids)
            images[name] = torch.nn.functional.pad(value, (0, added))
    return Prompt(request, prompt.ids, images, prompt.begun)


def _apply_to_images(request: Request, model: LoadedModel, **form: Any) -> Any:
    """What the processor makes of a conversation with images, in this form."""
    messages = chat_template.template_messages(
        request.conversation, as_parts=model.template.takes_parts
    )
    for message in messages:
        if isinstance(message["content"], list):
            message["content"] = [_with_loaded_image(part) for part in message["content"]]
    try:
        return model.processor.apply_chat_template(
            messages, **form, **chat_template.template_arguments(request)
        )
    except Exception as error:  # templates and image processors raise anything
        raise RequestError(f"the prompt cannot be made: {error}") from error


def _with_loaded_image(part: dict[str, Any]) -> dict[str, Any]:
    """The part as processors take it: `{"type": "image", "image": …}` with the pixels."""
    if part["type"] != "image_url":
        return part
    url = part["image_url"]["url"]
    if not is_data_url(url):  # `load_image` would open paths and addresses by itself
        raise RequestError(f"{url[:100]!r}: the image was not loaded before")
    try:
        return {"type": "image", "image": load_image(url)}
    except OumiError:
        raise
    except Exception as error:  # unknown image formats, damaged images
        raise RequestError(f"{url[:100]}: the image cannot be read: {error}") from error
