"""What a user says, as a message."""

from __future__ import annotations

from collections.abc import Sequence

from oumi.core.types.conversation import ContentItem, Message, Role, Type


def user_message(text: str, media: Sequence[ContentItem] = ()) -> Message:
    """A message of the user, in which images stand before the text."""
    if not media:
        return Message(role=Role.USER, content=text)
    items = [*media, ContentItem(type=Type.TEXT, content=text)]
    return Message(role=Role.USER, content=items)
