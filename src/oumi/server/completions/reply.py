"""Replies with completions.

https://platform.openai.com/docs/api-reference/completions/object
"""

from __future__ import annotations

import time
from typing import Any

from oumi.backends.legacy_logprobs import to_legacy
from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion
from oumi.server.completions.request import echoed
from oumi.server.http.ids import new_id
from oumi.server.openai_chat.reply import FINISH_REASONS, encode_usage
from oumi.server.query import Answer, Query


def encode_reply(query: Query, answer: Answer) -> bytes:
    """The body of a reply."""
    choices = [
        encode_choice(index, echoed(query, index) + text_of(completion), completion)
        for index, completion in enumerate(answer.completions)
    ]
    reply = {**reply_facts(answer.model), "choices": choices, "usage": encode_usage(answer.usage)}
    return write_json(reply)


def reply_facts(model: str) -> dict[str, Any]:
    """What a reply and each chunk of a stream say of themselves."""
    created = int(time.time())
    return {"id": new_id("cmpl-"), "object": "text_completion", "created": created, "model": model}


def encode_choice(index: int, text: str, completion: Completion | None) -> dict[str, Any]:
    """An entry of `choices`; without a completion one of a chunk that is not the last."""
    logprobs = None if completion is None else completion.logprobs
    return {
        "text": text,
        "index": index,
        "logprobs": None if logprobs is None else to_legacy(logprobs["content"]),
        "finish_reason": None if completion is None else FINISH_REASONS[completion.finish_reason],
    }


def text_of(completion: Completion) -> str:
    """What was generated."""
    return completion.message.compute_flattened_text_content("")
