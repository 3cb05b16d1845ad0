"""What was streamed of an answer's tool calls, and what is left of them at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oumi.core.types.completion import ToolCallDelta
from oumi.core.types.tool_call import ToolCall


class StreamedCalls:
    """Keeps the parts of calls that were handed out, so that none is missing at the end and none
    comes twice, however an engine streams them.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._arguments: list[str] = []

    def add(self, parts: Iterable[ToolCallDelta]) -> None:
        """Note parts that are handed out. Those of a call begin with the one that has its id."""
        for part in parts:
            if part.index == len(self._ids):
                self._ids.append(part.id)
                self._arguments.append("")
            self._arguments[part.index] += part.arguments

    def rest(self, calls: Iterable[ToolCall]) -> Iterator[ToolCallDelta]:
        """The parts of an answer's calls that were not handed out."""
        begun = len(self._ids)
        for call in calls:
            arguments = call.function.arguments
            if call.id not in self._ids[:begun]:
                yield ToolCallDelta(len(self._ids), call.id, call.function.name, arguments)
                self._ids.append(call.id)
                continue
            index = self._ids.index(call.id)
            sent = self._arguments[index]
            if len(arguments) > len(sent) and arguments.startswith(sent):
                yield ToolCallDelta(index, arguments=arguments[len(sent) :])
