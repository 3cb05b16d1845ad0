"""Messages and tools in the form of Bedrock's Converse: turns that consist of blocks.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

from typing import Any

from oumi.backends.media.audio import read_audio
from oumi.backends.media.images import image_url, read_image
from oumi.backends.media.pdf import read_pdf
from oumi.backends.remote.dialects import message_blocks
from oumi.backends.remote.dialects.message_blocks import BlockSummary
from oumi.core.digest import new_digest
from oumi.core.types.conversation import ContentItem, Message, Role, Type
from oumi.core.types.tool_call import ToolCall, ToolDefinition
from oumi.errors import UnsupportedError

_NO_PARAMETERS = {"type": "object", "properties": {}}


def encode_turn(turn: list[Message], model_name: str) -> dict[str, Any]:
    """A message, or results of tools that follow each other. Raises UnsupportedError."""
    for message in turn:
        message_blocks.check_message(message, model_name)
    first = turn[0]
    if first.role == Role.TOOL:
        blocks = [block for message in turn for block in _encode_result(message)]
        return {"role": "user", "content": blocks}
    if first.role == Role.SYSTEM:
        message_blocks.check_system(turn)
    return {"role": first.role, "content": encode_blocks(first)}


def encode_blocks(message: Message) -> list[dict[str, Any]]:
    """The blocks of a message, and a cache point where it has `cache_control`."""
    calls = map(_encode_call, message.tool_calls or ())
    blocks = message_blocks.kept_blocks(message, summarize) or [*_blocks(message), *calls]
    return [*blocks, *_cache_point(message.cache_control)]


def encode_tool(tool: ToolDefinition) -> list[dict[str, Any]]:
    """A tool, and a cache point where it has `cache_control`. Raises UnsupportedError."""
    function = tool.function
    spec: dict[str, Any] = {
        "name": function.name,
        "inputSchema": {"json": function.parameters or _NO_PARAMETERS},
    }
    if function.description:
        spec["description"] = function.description
    if function.strict is not None:
        spec["strict"] = function.strict
    further = message_blocks.further_fields(tool)
    cache_control = further.pop("cache_control", None)
    if further:
        raise UnsupportedError(
            f"the tool {function.name}: Converse has no field {min(further)!r}; leave it out"
        )
    return [{"toolSpec": spec}, *_cache_point(cache_control)]


def summarize(blocks: list[dict[str, Any]]) -> BlockSummary | None:
    """The text and the calls in an answer's blocks; None for blocks of another API."""
    if any("type" in block for block in blocks):
        return None
    text = "".join(block.get("text", "") for block in blocks)
    calls = (block["toolUse"].get("toolUseId", "") for block in blocks if "toolUse" in block)
    return BlockSummary(text, tuple(calls))


def _encode_result(message: Message) -> list[dict[str, Any]]:
    if any(item.type.kind == "audio" for item in message.content_items):
        raise UnsupportedError("Converse takes no audio in the result of a tool")
    content = [block for item in message.content_items for block in _encode_item(item)]
    points = [block for block in content if "cachePoint" in block]  # which results cannot hold
    content = [block for block in content if "cachePoint" not in block]
    result = {"toolUseId": message.tool_call_id, "content": content}
    return [{"toolResult": result}, *(points[-1:] or _cache_point(message.cache_control))]


def _cache_point(cache_control: dict[str, Any] | None) -> list[dict[str, Any]]:
    if cache_control is None:
        return []
    ttl = cache_control.get("ttl")
    return [{"cachePoint": {"type": "default"} | ({"ttl": ttl} if ttl else {})}]


def _blocks(message: Message) -> list[dict[str, Any]]:
    """The content as blocks; empty texts, which the API refuses, are left out."""
    items = [item for item in message.content_items if item.content or not item.is_text()]
    return [block for item in items for block in _encode_item(item)]


def _encode_call(call: ToolCall) -> dict[str, Any]:
    fields = {"toolUseId": call.id, "name": call.function.name}
    return {"toolUse": {**fields, "input": message_blocks.read_arguments(call)}}


def _encode_item(item: ContentItem) -> list[dict[str, Any]]:
    return [_encode_content(item), *_cache_point(item.cache_control)]


def _encode_content(item: ContentItem) -> dict[str, Any]:
    match item.type.kind:
        case "image":
            return {"image": _encode_image(item)}
        case "audio":
            return {"audio": _encode_audio(item)}
        case "pdf":
            return {"document": _encode_pdf(item)}
    return {"text": item.content}


def _encode_image(item: ContentItem) -> dict[str, Any]:
    url = image_url(item)
    if url is None:
        image = read_image(item)
        return {"format": image.kind, "source": {"bytes": image.base64}}
    if not url.startswith("s3://"):
        raise UnsupportedError(
            "Bedrock fetches no images from the web: give the image by path, as bytes, or in S3 "
            "(s3://…)"
        )
    return {"format": _ending(url).replace("jpg", "jpeg"), **_in_s3(url)}


def _encode_audio(item: ContentItem) -> dict[str, Any]:
    if _is_in_s3(item):
        return {"format": item.format or _ending(item.content or ""), **_in_s3(item.content or "")}
    audio = read_audio(item)
    return {"format": audio.kind, "source": {"bytes": audio.base64}}


def _encode_pdf(item: ContentItem) -> dict[str, Any]:
    """A document. Its name has to be neutral, of few characters, and of no other document:
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
    """
    digest = new_digest()
    if _is_in_s3(item):
        url = item.content or ""
        digest.update(url.encode())
        source = _in_s3(url)
    else:
        pdf = read_pdf(item)
        digest.update(pdf.data)
        source = {"source": {"bytes": pdf.base64}}
    return {"format": "pdf", "name": f"document-{digest.hexdigest()[:8]}", **source}


def _is_in_s3(item: ContentItem) -> bool:
    return item.type in (Type.AUDIO_URL, Type.PDF_URL) and (item.content or "").startswith("s3://")


def _in_s3(url: str) -> dict[str, Any]:
    return {"source": {"s3Location": {"uri": url}}}


def _ending(url: str) -> str:
    return url.rpartition(".")[2].lower()
