"""Conversations as a model of Transformers takes them: token ids, and tensors of images."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from transformers.image_utils import load_image

from oumi.backends.local import chat_template
from oumi.backends.local.native.loading import Loaded
from oumi.errors import OumiError, RequestError, UnsupportedError
from oumi.runner.request import Request

_FETCH_S = 60.0

# Images stand in messages by URL; bytes and files have become data URLs before.
_SCHEMES = ("data:", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request as the model takes it: token ids, and tensors of the images in it, by name."""

    request: Request
    ids: list[int]
    images: dict[str, Any] = field(default_factory=dict)


async def encode(request: Request, loaded: Loaded) -> Prompt:
    """The prompt. Raises RequestError for one that does not fit or cannot be read."""
    if not chat_template.has_images(request.conversation):
        return Prompt(request, chat_template.encode(request, loaded))
    if loaded.processor is None:
        raise UnsupportedError(f"{request.config.model.model_name} takes no images")
    return await asyncio.to_thread(_encode_images, request, loaded)


def _encode_images(request: Request, loaded: Loaded) -> Prompt:
    messages = chat_template.template_messages(request.conversation)
    for message in messages:
        if isinstance(message["content"], list):
            message["content"] = [_with_image(part) for part in message["content"]]
    try:
        encoded = loaded.processor.apply_chat_template(
            messages,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **chat_template.template_arguments(request),
        )
    except Exception as error:  # of templates and of image processors
        raise RequestError(f"the prompt cannot be made: {error}") from error
    [ids] = encoded.pop("input_ids").tolist()
    encoded.pop("attention_mask", None)
    chat_template.check_fits(len(ids), loaded.context)
    return Prompt(request, ids, dict(encoded))


def _with_image(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "image_url":
        return part
    url = part["image_url"]["url"]
    if not url.startswith(_SCHEMES):
        raise RequestError(f"{url[:100]!r} is no URL of an image; an image_path names a file")
    try:
        return {"type": "image", "image": load_image(url, timeout=_FETCH_S)}
    except OumiError:
        raise
    except Exception as error:  # of the network, of the image's format
        raise RequestError(f"{url[:100]}: the image cannot be read: {error}") from error
