"""Marks up to which an API may cache a prompt, where the caller has set none.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching

Writing to the cache costs a quarter more than not to, so only what is likely to be read again is
marked: tools, the system prompt, and what other conversations begin with as well. These are three
of the four marks that a request may have. What is too short to be cached is not, at no cost.
"""

from __future__ import annotations

from typing import Any

from oumi.backends.provider import Provider
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role
from oumi.core.types.tool_call import ToolDefinition
from oumi.data.source import Prefix

_MARK = {"type": "ephemeral"}
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


def is_on(provider: Provider, config: InferenceConfig) -> bool:
    """Whether prompts are marked: the model caches what is marked, and the caller marks nothing."""
    pattern, remote = provider.caches_marked, config.remote_params or RemoteParams()
    if pattern is None or not remote.prompt_caching:
        return False
    return bool(pattern.search(config.model.model_name)) and not _holds_mark(
        config.model.model_kwargs
    )


def mark(conversation: Conversation, shared: Prefix) -> Conversation:
    """A copy with marks; the conversation itself where it has marks of the caller's."""
    if _is_marked(conversation):
        return conversation
    messages = list(conversation.messages)
    start = next((i for i, m in enumerate(messages) if m.role not in _SYSTEM), len(messages))
    _mark_before(messages, start)
    _mark_prefix(messages, shared)
    changes: dict[str, Any] = {"messages": messages}
    if conversation.tools:
        *others, last = conversation.tools
        changes["tools"] = [*others, last.model_copy(update={"cache_control": _MARK})]
    return conversation.model_copy(update=changes)


def _mark_prefix(messages: list[Message], shared: Prefix) -> None:
    """Mark where the shared beginning ends, or the nearest place before that takes a mark."""
    whole = shared.messages
    items = list(messages[whole].content_items) if shared.parts else []
    for index in reversed(range(shared.parts)):
        if _is_sent(items[index]):
            items[index] = items[index].model_copy(update={"cache_control": _MARK})
            messages[whole] = messages[whole].model_copy(update={"content": items})
            return
    _mark_before(messages, whole)


def _mark_before(messages: list[Message], end: int) -> None:
    """Mark the last message before `end` that takes a mark."""
    for index in reversed(range(end)):
        if _takes_mark(messages[index]):
            messages[index] = messages[index].model_copy(update={"cache_control": _MARK})
            return


def _takes_mark(message: Message) -> bool:
    """Whether something is sent of it, and not blocks of the API's own: thoughts take no mark."""
    has_content = any(map(_is_sent, message.content_items)) or bool(message.tool_calls)
    return has_content and not message.content_blocks


def _is_sent(item: ContentItem) -> bool:
    """Empty texts are not."""
    return bool(item.content) or not item.is_text()


def _is_marked(conversation: Conversation) -> bool:
    marked: list[Message | ContentItem] = [*conversation.messages]
    for message in conversation.messages:
        if isinstance(message.content, list):
            marked += message.content
    tools = map(_tool_is_marked, conversation.tools or ())
    return any(part.cache_control is not None for part in marked) or any(tools)


def _tool_is_marked(tool: ToolDefinition) -> bool:
    return any("cache_control" in (part.model_extra or {}) for part in (tool, tool.function))


def _holds_mark(value: Any) -> bool:
    """Whether a field of the request that the caller has set marks anything."""
    if isinstance(value, dict):
        return "cache_control" in value or any(map(_holds_mark, value.values()))
    return isinstance(value, list) and any(map(_holds_mark, value))
