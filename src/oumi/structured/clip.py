"""Texts of answers, shortened for error messages."""

from __future__ import annotations

MAX_CHARACTERS = 300  # an error message is read by people, and by the model in a repair


def clip(text: str, length: int = MAX_CHARACTERS) -> str:
    """The text, shortened to `length` characters and an ellipsis if it is longer."""
    return text if len(text) <= length else f"{text[:length]}…"
