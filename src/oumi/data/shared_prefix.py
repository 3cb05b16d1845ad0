"""Which conversations begin alike, so that an API may be asked to cache what they share."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator

from oumi.core.types.conversation import ContentItem, Message
from oumi.data.source import NO_PREFIX, Prefix, Row, Source

# Caches keep a beginning for five minutes after it was last read:
# https://platform.claude.com/docs/en/build-with-claude/prompt-caching
_KEPT_S = 300.0
# What the default of 32 requests in flight come through in that time, at 10 s each.
_ROWS_AHEAD = 1_000
# 10 MB; more beginnings than any engine is sent within five minutes.
_MOST_REMEMBERED = 100_000

# No model caches less than 1,024 tokens, of which each takes a character at least.
_SHORTEST = 1_024

_Beginning = tuple[int, Prefix]
"""A hash of the beginning of a conversation, and how far it goes."""


class PrefixMemory:
    """What an engine was sent within the last minutes, as hashes of beginnings.

    A beginning is shared if a conversation of the last minutes had it, or one of the next rows has.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._sent_s: OrderedDict[int, float] = OrderedDict()  # the latest last

    def rows(self, source: Source, rows: Iterator[Row] | None = None) -> Iterator[Row]:
        """The rows, each with what it shares. Only hashes are held of those that come next.

        `rows` are those of the source, where a pass over them has begun.
        """
        ahead = map(_beginnings, source.rows())
        waiting: deque[list[_Beginning]] = deque()
        counts: Counter[int] = Counter()
        for row in rows or source.rows():
            while len(waiting) <= _ROWS_AHEAD and (found := next(ahead, None)) is not None:
                waiting.append(found)
                counts.update(digest for digest, _ in found)
            beginnings = waiting.popleft()
            for digest, _ in beginnings:
                counts[digest] -= 1
                if not counts[digest]:
                    del counts[digest]
            shared = self._longest_shared(beginnings, counts)
            self._remember(beginnings)  # now: of a stream nobody asks for the row after its own
            yield row._replace(shared=shared)

    def _longest_shared(self, beginnings: list[_Beginning], ahead: Counter[int]) -> Prefix:
        shared, since_s = NO_PREFIX, self._clock() - _KEPT_S
        for digest, prefix in beginnings:
            if not ahead[digest] and self._sent_s.get(digest, since_s) <= since_s:
                break
            shared = prefix
        return shared

    def _remember(self, beginnings: list[_Beginning]) -> None:
        now_s = self._clock()
        for digest, _ in beginnings:
            self._sent_s.pop(digest, None)
            self._sent_s[digest] = now_s
        while len(self._sent_s) > _MOST_REMEMBERED:
            self._sent_s.popitem(last=False)


def _beginnings(row: Row) -> list[_Beginning]:
    """Of each message and each part of one: a hash of the conversation up to it, where that is long
    enough to be cached.
    """
    if row.conversation is None:
        return []
    tools = [tool.model_dump_json() for tool in row.conversation.tools or ()]
    beginning = _Digest(hash(tuple(tools)), sum(map(len, tools)))
    found: list[_Beginning] = []
    for index, message in enumerate(row.conversation.messages):
        beginning.add(*_facts(message))
        if isinstance(message.content, list):
            for parts, item in enumerate(message.content, 1):
                beginning.add_part(item)
                found += beginning.at(Prefix(index, parts))
        else:
            beginning.add(message.content)
        beginning.add()
        found += beginning.at(Prefix(index + 1))
    return found


class _Digest:
    """A hash of what was added so far, and how long that is."""

    def __init__(self, value: int, characters: int):
        self._value = value
        self._characters = characters
        self._has_media = False

    def add(self, *values: object) -> None:
        """Add values, of which texts count as so long as they are."""
        self._value = hash((self._value, *values))
        self._characters += sum(len(value) for value in values if isinstance(value, str))

    def add_part(self, item: ContentItem) -> None:
        """Add a part of a message."""
        self.add(item.type, item.content, item.binary)
        self._has_media |= not item.is_text()

    def at(self, prefix: Prefix) -> list[_Beginning]:
        """What a conversation begins with up to here; nothing while it is too short."""
        is_long = self._has_media or self._characters >= _SHORTEST
        return [(self._value, prefix)] if is_long else []


def _facts(message: Message) -> tuple[object, ...]:
    """What is sent of a message besides its content."""
    calls, blocks = message.tool_calls, message.content_blocks
    return (
        message.role,
        message.name,
        message.tool_call_id,
        repr(calls) if calls else None,
        repr(blocks) if blocks else None,
    )
