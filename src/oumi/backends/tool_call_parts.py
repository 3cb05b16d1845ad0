"""Streamed tool calls, put together from their parts.

OpenAI numbers each call by `index`, and sends its id and its name once, with its first part.
Others give all calls the same index or none, repeat id and name with each part, leave ids out, or
send a call whole with its arguments as an object. A new id begins a call, and so does a new name
after complete arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from oumi.backends.openai_reply import read_arguments
from oumi.core.types.completion import ToolCallDelta


class ToolCallAssembler:
    """Joins the parts of calls. `calls` has them in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._shown_ids: set[str] = set()  # of the calls that are streamed on

    def add(self, part: Mapping[str, Any]) -> ToolCallDelta | None:
        """Add a part of a call, an entry of `tool_calls` in a delta.

        Returns what may be shown of it: nothing of a call that begins without an id and a name of
        its own, since these may still change.
        """
        read = _Part(part)
        call = self._find(read)
        if call is None or call.ends_before(read):
            call = _Call(read, repeats=call is not None and call.name == read.name)
            self._calls.append(call)
            if read.id and read.name and read.id not in self._shown_ids:
                call.number = len(self._shown_ids)
                self._shown_ids.add(read.id)
                call.add(read)
                return ToolCallDelta(call.number, read.id, read.name, read.arguments)
        call.add(read)
        if call.number is None or not read.arguments:
            return None
        return ToolCallDelta(call.number, arguments=read.arguments)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls so far, as in a reply that was not streamed."""
        calls = [call.to_dict() for call in self._calls if not call.is_empty]
        ids: set[str] = set()
        for call in calls:
            if call["id"] in ids:  # two calls with one id could not be told apart
                call["id"] = ""
            ids.add(call["id"])
        return calls

    def _find(self, part: _Part) -> _Call | None:
        """The call that a part may belong to."""
        if not self._calls:
            return None
        latest = reversed(self._calls)
        if part.id and (same := next((c for c in latest if c.id == part.id), None)):
            return same
        last = self._calls[-1]
        if part.index is None:
            return last
        numbered = next((c for c in reversed(self._calls) if c.index == part.index), None)
        return numbered if numbered or part.id or part.name else last


class _Part:
    """What a part of a call says."""

    __slots__ = ("arguments", "extra_content", "id", "index", "name")

    def __init__(self, part: Mapping[str, Any]):
        function = part.get("function") or part
        call_id, name, index = part.get("id"), function.get("name"), part.get("index")
        self.id = str(call_id) if call_id and isinstance(call_id, str | int) else ""
        self.name = name if isinstance(name, str) else ""
        self.index = index if isinstance(index, str | int) else None
        self.arguments = read_arguments(function.get("arguments"))
        self.extra_content = part.get("extra_content")


class _Call:
    """One call, as far as it has come."""

    __slots__ = ("_arguments", "_extra_content", "_repeats", "id", "index", "name", "number")

    def __init__(self, part: _Part, *, repeats: bool):
        self.number: int | None = None  # among the calls that are streamed on
        self.id, self.index, self.name = part.id, part.index, part.name
        self._arguments: list[str] = []
        self._extra_content: Any = None
        self._repeats = repeats  # the name of the call before, so it may be no call of its own

    @property
    def is_empty(self) -> bool:
        """Whether nothing came that would make it a call."""
        has_own = self.id or (self.name and not self._repeats)
        return not (has_own or any(self._arguments))

    def ends_before(self, part: _Part) -> bool:
        """Whether a part that may belong here begins another call."""
        if part.id and self.id and part.id != self.id:
            # Some servers make up an id for each part, but only the first part has the name.
            return bool(part.name) or (bool(part.arguments.strip()) and self._is_whole)
        if not (part.name and self.name):
            return False
        if part.name != self.name:
            return self._is_whole or not (part.id or part.index is not None)
        is_numbered_anew = part.index != self.index and part.index is not None
        return (not part.id or is_numbered_anew) and self._is_whole

    def add(self, part: _Part) -> None:
        """Add a part. A name is set: a server that repeats it does not spell it out."""
        self.id = self.id or part.id
        self.name = part.name or self.name
        self._extra_content = part.extra_content or self._extra_content
        self._arguments.append(part.arguments)

    def to_dict(self) -> dict[str, Any]:
        """As in a reply that was not streamed."""
        function = {"name": self.name, "arguments": "".join(self._arguments)}
        call: dict[str, Any] = {"id": self.id, "function": function}
        if self._extra_content:
            call["extra_content"] = self._extra_content
        return call

    @property
    def _is_whole(self) -> bool:
        """Whether the arguments are complete. Looked at only where a part may begin a call."""
        text = "".join(self._arguments).rstrip()
        if not text.endswith("}"):
            return False
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        return True
