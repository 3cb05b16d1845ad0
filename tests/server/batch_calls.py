"""Lines of batches, and calls that submit them and wait for them, by OpenAI's official client."""

from __future__ import annotations

import json
import time

from openai.types import Batch

from tests.server.process import Serve


def line(custom_id: str, text: str, **body: object) -> bytes:
    """A line of chat completions."""
    messages = [{"role": "user", "content": text}]
    return _line(custom_id, "/v1/chat/completions", {"messages": messages, **body})


def prompt_line(custom_id: str, prompt: object, **body: object) -> bytes:
    """A line of completions."""
    return _line(custom_id, "/v1/completions", {"prompt": prompt, **body})


def text_line(custom_id: str, texts: object, **body: object) -> bytes:
    """A line of embeddings."""
    return _line(custom_id, "/v1/embeddings", {"input": texts, **body})


def submit(
    serve: Serve, content: bytes, endpoint: str = "/v1/chat/completions", **more: object
) -> Batch:
    """A new batch of these lines."""
    file = serve.openai.files.create(file=("in.jsonl", content), purpose="batch")
    return serve.openai.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more
    )


def ended(serve: Serve, batch: Batch) -> Batch:
    """The batch once it has ended."""
    while batch.status in ("validating", "in_progress", "finalizing"):
        time.sleep(0.05)
        batch = serve.openai.batches.retrieve(batch.id)
    return batch


def lines_of(serve: Serve, file_id: str) -> dict[str, dict]:
    """The replies in a file of results, by the ids of their lines."""
    text = serve.openai.files.content(file_id).text
    return {value["custom_id"]: value["response"] for value in map(json.loads, text.splitlines())}


def _line(custom_id: str, url: str, body: dict[str, object]) -> bytes:
    asked = {"model": "m", **body}
    value = {"custom_id": custom_id, "method": "POST", "url": url, "body": asked}
    return json.dumps(value).encode() + b"\n"
