"""The messages of a conversation as they are sent, whatever the form of the API."""

from __future__ import annotations

from oumi.core.types.conversation import Conversation, Message, Role
from oumi.errors import RequestError

_CHANGED = (Role.TOOL, Role.DEVELOPER)
"""The roles of messages that may be sent otherwise than they are."""


def sent_messages(conversation: Conversation, *, developer: bool = False) -> list[Message]:
    """The messages, with an id in each result of a tool.

    A developer's message is one of the system unless `developer` says that the API knows the role.
    Raises RequestError for a result without an id where not exactly one call is open.
    """
    messages = conversation.messages
    for message in messages:
        if message.role in _CHANGED:  # few conversations have any
            return _with_ids([m if developer else _as_system(m) for m in messages])
    return messages


def _as_system(message: Message) -> Message:
    is_developer = message.role is Role.DEVELOPER
    return message.model_copy(update={"role": Role.SYSTEM}) if is_developer else message


def _with_ids(messages: list[Message]) -> list[Message]:
    open_ids: list[str] = []
    found: list[Message] = []
    for number, message in enumerate(messages):
        open_ids += [call.id for call in message.tool_calls or ()]
        if message.role is Role.TOOL:
            if message.tool_call_id is None:
                message = message.model_copy(update={"tool_call_id": _only(open_ids, number)})
            if message.tool_call_id in open_ids:
                open_ids.remove(message.tool_call_id)
        found.append(message)
    return found


def _only(open_ids: list[str], number: int) -> str:
    if len(open_ids) != 1:
        raise RequestError(
            f"messages.{number}: the result of a tool has no `tool_call_id`, and {len(open_ids)} "
            "calls have no result yet; it can be left out where there is exactly one"
        )
    return open_ids[0]
