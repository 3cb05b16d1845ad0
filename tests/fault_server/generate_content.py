"""Replies in the shape of Google's `generateContent`. Pure functions."""

from __future__ import annotations

from typing import Any

from tests.fault_server.bodies import tokens
from tests.fault_server.plan import Plan


def reply(row: str, body: bytes, plan: Plan) -> dict[str, Any]:
    """The good answer; the plan's `message` lays `parts` over it."""
    prompt, completion = tokens(body, plan)
    parts = plan.message.get("parts", [{"text": f"answer to {row}"}])
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": completion,
            "totalTokenCount": prompt + completion,
        },
        "modelVersion": "gemini",
        "responseId": row,
    }
