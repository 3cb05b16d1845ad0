"""Answers read by vLLM's own parsers of thoughts and tool calls, where the settings name some."""

from __future__ import annotations

from typing import Any

from oumi.backends.local.chat_template import take_thought
from oumi.backends.local.streaming import TextStreamer
from oumi.backends.local.tool_calls import forced_tools, number_calls, offered_tools, take_calls
from oumi.backends.local.vllm.answer import Written
from oumi.backends.local.vllm.runtime import Runtime
from oumi.backends.local.vllm.versions import (
    ChatCompletionRequest,
    ParserManager,
    ReasoningParserManager,
    ToolParserManager,
)
from oumi.backends.openai_chat import StreamJoiner, encode_tools
from oumi.core.configs import ModelParams
from oumi.core.logs import logger
from oumi.core.names import did_you_mean
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.core.types.tool_call import FunctionCall
from oumi.errors import ConfigError
from oumi.runner.request import Request


def check_parsers(model: ModelParams) -> None:
    """Raise ConfigError for a parser that vLLM does not have."""
    for field, name, manager in (
        ("tool_call_parser", model.tool_call_parser, ToolParserManager),
        ("model_kwargs.reasoning_parser", _reasoning_parser(model), ReasoningParserManager),
    ):
        known = manager.list_registered()
        if name and name not in known:
            hint = did_you_mean(name, known) or f"known are {', '.join(known)}"
            raise ConfigError(f"model.{field}: vLLM has no parser {name!r}; {hint}")


def parsing_reader(request: Request, runtime: Runtime) -> ParsingReader | None:
    """The reader of an answer; None where the settings name no parser that it needs."""
    model = request.config.model
    # Calls that have to be made have a form of their own.
    may_call = bool(offered_tools(request)) and not forced_tools(request)
    tool_parser = model.tool_call_parser if may_call else None
    reasoning_parser = _reasoning_parser(model)
    if not tool_parser and not reasoning_parser:
        return None
    parser = ParserManager.get_parser(
        tool_parser_name=tool_parser,
        reasoning_parser_name=reasoning_parser,
        enable_auto_tools=True,
    )
    return ParsingReader(request, parser, runtime)


class ParsingReader:
    """Reads one answer by a parser of vLLM. What that cannot read is taken as text."""

    def __init__(self, request: Request, parser: Any, runtime: Runtime):
        self._request = request
        asked = ChatCompletionRequest(
            messages=[{"role": "user", "content": ""}],
            tools=encode_tools(request.conversation) or None,
            skip_special_tokens=request.config.generation.skip_special_tokens,
        )
        self._parser = parser(
            runtime.tokenizer,
            asked.tools,
            chat_template_kwargs=request.config.model.chat_template_kwargs,
            model_config=runtime.model,
        )
        self._asked = self._parser.adjust_request(asked)
        self._forced = bool(forced_tools(request))
        # Without a parser of thoughts, they are found by their usual marks.
        self._thoughts = None if parser.reasoning_parser_cls else TextStreamer([], tools=False)
        self._joiner = StreamJoiner()
        self._taken = 0
        self._waiting: list[int] = []

    @property
    def special_tokens(self) -> bool:
        """Whether the parser looks for special tokens in the text."""
        return not self._asked.skip_special_tokens

    def whole(self, written: Written) -> Completion:
        """The answer."""
        thought, text = self._without_thought(written.text)
        try:
            parsed = self._parser.parse(
                text, self._asked, enable_auto_tools=True, model_output_token_ids=written.ids
            )
        except Exception as error:  # the answer is paid for, whatever a parser makes of it
            logger.warning("vLLM's parser cannot read an answer; it is left as text: %s", error)
            parsed = None, text, None
        reasoning, content, found = parsed
        calls = [FunctionCall(name=call.name, arguments=call.arguments) for call in found or ()]
        return self._complete(written, thought or reasoning, content or "", calls)

    def piece(self, written: Written) -> Delta | None:
        """What can be shown, now that something new was written."""
        self._waiting += written.new_ids
        if self._thoughts is None:
            return self._read(written.new_text, written)
        piece = self._thoughts.take(written.text)
        if piece is None or not piece.content:
            return piece
        read = self._read(piece.content, written) or Delta()
        return Delta(read.content, piece.reasoning_content + read.reasoning_content)

    def end(self, written: Written) -> list[Delta]:
        """What is left to show, and the answer, which is that of `whole`."""
        _, text = self._without_thought(written.text)
        last = self._read(text[self._taken :], written, finished=True)
        return [*([last] if last else ()), Delta(completion=self.whole(written))]

    def _without_thought(self, text: str) -> tuple[str | None, str]:
        return (None, text) if self._thoughts is None else take_thought(text)

    def _read(self, text: str, written: Written, *, finished: bool = False) -> Delta | None:
        """Hand on what is new of the text; what vLLM's parser makes of it."""
        self._taken += len(text)
        ids, self._waiting = self._waiting, []
        delta = self._parser.parse_delta(
            text, ids, self._asked, prompt_token_ids=written.prompt, finished=finished
        )
        if delta is None:
            return None
        piece = self._joiner.add({"choices": [{"delta": delta.model_dump(exclude_none=True)}]})
        if piece is not None and self._forced:
            return Delta(reasoning_content=piece.reasoning_content)
        return piece

    def _complete(
        self, written: Written, reasoning: str | None, content: str, calls: list[FunctionCall]
    ) -> Completion:
        numbered = number_calls(calls, self._request)
        if self._forced:
            content, numbered = take_calls(content, self._request)
        if self._forced and not numbered:  # some parsers take all for a thought that has no end
            reasoning, numbered = take_calls(written.text, self._request)
        message = Message(
            role=Role.ASSISTANT,
            content=content or (None if numbered else ""),
            tool_calls=numbered or None,
            reasoning_content=reasoning or None,
        )
        reason = FinishReason.TOOL_CALLS if numbered else written.reason
        likeliest = self._request.config.generation.logprobs
        return Completion(message, reason, written.usage, written.logprobs(likeliest))


def _reasoning_parser(model: ModelParams) -> str | None:
    return model.model_kwargs.get("reasoning_parser") or None
