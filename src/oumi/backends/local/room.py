"""The room that a sampler bounds an answer to."""

from __future__ import annotations

from oumi.runner.request import Request
from oumi.structured.room import Room, first_room


def room_of(request: Request) -> Room:
    """The room of a request; that of a first answer where no earlier one was cut off."""
    return request.room or first_room(request.config.generation.max_new_tokens)
