"""Conversations to prompts by a chat template, and generated text back to completions.

For backends that have the model's Hugging Face tokenizer at hand.
https://huggingface.co/docs/transformers/chat_templating
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.reasoning import (
    PROMPT_TAIL_TOKENS,
    THINK_START,
    answer_start,
    opens_reasoning,
    split_reasoning,
)
from oumi.backends.local.special_tokens import (
    SpecialTokens,
    find_special_tokens,
    forged_beside_images,
)
from oumi.backends.local.tool_calls import extract_tool_calls, offered_tools
from oumi.backends.local.truncation import check_prompt_length, shortened
from oumi.backends.openai_chat import encode_messages_for_template
from oumi.core.configs import GenerationParams
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import Conversation, FinishReason, Message, Role
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.raw_prompt import raw_prompt
from oumi.runner.request import Request


class TextModel(Protocol):
    """What is needed of a model to make a prompt for it."""

    @property
    def tokenizer(self) -> Any:
        """A Transformers tokenizer with a chat template."""
        ...

    @property
    def template(self) -> ChatTemplate:
        """What that chat template can render."""
        ...

    @property
    def context_length(self) -> int:
        """The most tokens that prompt and answer may have together."""
        ...


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """A prompt as token ids. `begun` is the start of the answer that stands at its end."""

    ids: list[int]
    begun: str = ""


def encode(request: Request, model: TextModel) -> TextPrompt:
    """The prompt of a conversation without images, cut where that is asked for.

    Raises RequestError for a prompt that does not fit.
    """
    while True:
        ids = _encode_conversation(request, model)
        prompt = begin_answer(ids, request, model.tokenizer)
        shorter = shortened(request, len(prompt.ids), model.context_length)
        if shorter is None:
            check_prompt_length(len(prompt.ids), model.context_length)
            return prompt
        request = shorter


def begin_answer(ids: list[int], request: Request, tokenizer: Any) -> TextPrompt:
    """The prompt of these ids with the start of the answer, `request.begun`, behind it."""
    if raw_prompt(request) is not None:
        return TextPrompt(ids)
    opens = opens_reasoning(tokenizer.decode(ids[-PROMPT_TAIL_TOKENS:]))
    start = answer_start(request.begun, opens=opens)
    begun = request.begun or (THINK_START if opens else "")
    if not start:
        return TextPrompt(ids, begun)
    special = find_special_tokens(tokenizer)
    pieces = special.split(mark_special(start, request, special))
    return TextPrompt([*ids, *tokenize(pieces, tokenizer)], begun)


def opens_thought(request: Request, tokenizer: Any, template: ChatTemplate) -> bool:
    """Whether the prompt ends inside of a thought."""
    messages = template_messages(request.conversation, as_parts=template.takes_parts)
    text: str = tokenizer.apply_chat_template(
        messages, chat_template=template.text, tokenize=False, **template_arguments(request)
    )
    return opens_reasoning(text)


def check_images(request: Request, tokenizer: Any, engine: str) -> None:
    """Raise RequestError for images beside a text that holds a special token.

    Image processors tokenize the whole prompt, and so would take it for one.
    """
    found = find_special_tokens(tokenizer).find(template_messages(request.conversation))
    if found and not request.config.generation.allow_special_tokens:
        raise forged_beside_images(found, engine)


def _encode_conversation(request: Request, model: TextModel) -> list[int]:
    if (raw := raw_prompt(request)) is not None:
        ids: list[int] = model.tokenizer.encode(raw)
        return ids
    special = find_special_tokens(model.tokenizer)
    messages = template_messages(request.conversation, as_parts=model.template.takes_parts)
    arguments = template_arguments(request)
    arguments["tools"] = mark_special(arguments["tools"], request, special)
    text: str = model.tokenizer.apply_chat_template(
        mark_special(messages, request, special), tokenize=False, **arguments
    )
    return tokenize(special.split(text), model.tokenizer)


def mark_special(value: Any, request: Request, special: SpecialTokens) -> Any:
    """A JSON value with its special tokens marked, unless they are allowed."""
    return value if request.config.generation.allow_special_tokens else special.mark(value)


def tokenize(pieces: list[tuple[str, bool]], tokenizer: Any) -> list[int]:
    """The ids of the pieces of a prompt, each with whether it is text alone."""
    ids: list[int] = []
    for text, is_text in pieces:
        as_text = {"split_special_tokens": True} if is_text else {}
        ids += tokenizer.encode(text, add_special_tokens=False, **as_text)
    return ids


def render(request: Request, model: TextModel) -> str:
    """The prompt as text. Raises RequestError for what the template refuses."""
    if (raw := raw_prompt(request)) is not None:
        return raw
    messages = template_messages(request.conversation, as_parts=model.template.takes_parts)
    try:
        text: str = model.tokenizer.apply_chat_template(
            messages, tokenize=False, **template_arguments(request)
        )
    except Exception as error:  # templates raise anything
        raise RequestError(f"the prompt cannot be made: {error}") from error
    return text


def template_messages(
    conversation: Conversation, *, as_parts: bool = False
) -> list[dict[str, Any]]:
    """The messages as chat templates expect them.

    They are those of the OpenAI API but for three points: arguments of tool calls are objects, not
    JSON text; a message without images has its text in one string, or in one part of a list with
    `as_parts`; and thoughts are in `reasoning_content`, for templates that ask for them. Images
    remain parts of type `image_url`.
    """
    messages = encode_messages_for_template(conversation)
    for given, message in zip(conversation.messages, messages, strict=True):
        if given.reasoning_content is not None:
            message["reasoning_content"] = given.reasoning_content
    for message in messages:
        if as_parts and isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = _read_arguments(call["function"]["arguments"])
    return messages


def template_arguments(request: Request) -> dict[str, Any]:
    """The variables of the chat template besides the messages."""
    return {
        "tools": offered_tools(request) or None,
        "add_generation_prompt": True,
        **thinking_arguments(request.config.generation),
        **(request.config.model.chat_template_kwargs or {}),
    }


def _read_arguments(text: str) -> Any:
    """The arguments of an earlier call; broken ones are a text, so that the talk can go on."""
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return text


def thinking_arguments(generation: GenerationParams) -> dict[str, Any]:
    """How much a model thinks, in the variables that chat templates have for it."""
    arguments: dict[str, Any] = {}
    if generation.enable_thinking is not None:
        # Qwen, GLM and SmolLM read the first, DeepSeek, Granite and Kimi the second.
        arguments = dict.fromkeys(("enable_thinking", "thinking"), generation.enable_thinking)
    if generation.reasoning_effort is not None:
        arguments["reasoning_effort"] = generation.reasoning_effort
    return arguments


def check_thinking(generation: GenerationParams, template: ChatTemplate) -> None:
    """Raise UnsupportedError for thinking that a chat template knows nothing of."""
    effort = generation.reasoning_effort
    if effort is not None and not template.reads("reasoning_effort"):
        raise UnsupportedError(
            "generation.reasoning_effort: the model's chat template does not read it; "
            "generation.max_thinking_tokens limits how long a model thinks"
        )
    knows = template.marks_thoughts or template.reads("thinking")
    if generation.enable_thinking and not knows:
        raise UnsupportedError("generation.enable_thinking: the model's chat template knows none")


def may_hold_thought(request: Request) -> bool:
    """Whether a text may begin with a thought: not where a form was kept to from its start on, and
    not where nothing of a template is in the prompt.
    """
    if not request.config.generation.apply_chat_template:
        return False
    return request.config.generation.guided_decoding is None or bool(request.begun)


def to_completion(
    text: str, reason: FinishReason, usage: Usage, request: Request, logprobs: Any = None
) -> Completion:
    """The completion in a generated text, with reasoning and tool calls in fields of their own."""
    reasoning = None
    if may_hold_thought(request):
        reasoning, text = split_reasoning(text)
    text, calls = extract_tool_calls(text, request)
    message = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=reasoning,
    )
    return Completion(message, FinishReason.TOOL_CALLS if calls else reason, usage, logprobs)
