"""What a chat template does with conversations, found out by rendering a few small ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from jinja2 import Template

from oumi.backends.chat_templates.rendering import compile_template, render
from oumi.core.configs import ModelParams
from oumi.errors import ConfigError

TOOL_CALL, _THINK = "<tool_call>", "<think>"
# How Qwen3-Coder and GLM write the arguments of a call in there, in place of a JSON object.
_OTHER_ARGUMENTS = ("<function=", "<arg_key>", "<parameter=")

_SYSTEM = "Answer in French"
_QUESTIONS = ("How high is the sky", "Who wrote this book")


@dataclass(frozen=True)
class ChatTemplate:
    """What a chat template can render."""

    has_system_role: bool = True
    takes_parts: bool = False
    """Whether it reads text from a list of parts alone, and loses a text that is no list."""
    text: str = field(default="", repr=False)
    has_call_token: bool = False
    """Whether `<tool_call>` is a special token of the model, which no grammar of texts allows."""

    is_missing: bool = False
    """Whether there is none, so that only prompts as they are can be asked."""

    @property
    def marks_calls(self) -> bool:
        """Whether it writes a call of a tool as a JSON object in `<tool_call>`."""
        is_json = not any(form in self.text for form in _OTHER_ARGUMENTS)
        return TOOL_CALL in self.text and is_json and not self.has_call_token

    @property
    def marks_thoughts(self) -> bool:
        """Whether it knows thoughts in `<think>`."""
        return _THINK in self.text

    def reads(self, name: str) -> bool:
        """Whether it may read a variable of this name."""
        return name in self.text

    @classmethod
    def from_text(
        cls, text: str | None, model: ModelParams, *, may_be_missing: bool = False
    ) -> Self:
        """Try a template out.

        Raises ConfigError for one with wrong syntax, for one that renders two conversations to the
        same text, and where there is none, unless it `may_be_missing`.
        """
        if not text:
            missing = cls(is_missing=True)
            return missing if may_be_missing else missing.checked(model)
        try:
            found = cls._from_prompts(_Prompts(compile_template(text), model))
            return replace(found, text=text)
        except ConfigError as error:
            owner = f"{model.model_name}: its " if model.chat_template is None else "model."
            raise ConfigError(f"{owner}chat_template: {error}") from error

    def checked(self, model: ModelParams) -> Self:
        """The same for a conversation that needs one. Raises ConfigError where it is missing."""
        if self.is_missing:
            raise ConfigError(
                f"{model.model_name} has no chat template; set model.chat_template to the format "
                "that it was trained on, or generation.apply_chat_template to false"
            )
        return self

    @classmethod
    def _from_prompts(cls, prompts: _Prompts) -> Self:
        as_text = prompts.tell_apart(as_parts=False)
        if as_text:
            return cls(prompts.hold_system(as_parts=False))
        if prompts.tell_apart(as_parts=True):
            return cls(prompts.hold_system(as_parts=True), takes_parts=True)
        if as_text is None:  # it wants something special: rows will show whether they have that
            return cls()
        raise ConfigError(
            "it renders different conversations to the same text, so that each row would get the "
            "same answer; a template writes out the `content` of the `messages`"
        )


@dataclass(frozen=True)
class _Prompts:
    """Small conversations as a template renders them."""

    template: Template
    model: ModelParams

    def tell_apart(self, *, as_parts: bool) -> bool | None:
        """Whether two questions make two prompts. None where the template refuses them."""
        prompts = [self._render(_messages(one, as_parts=as_parts)) for one in _QUESTIONS]
        return None if None in prompts else len(set(prompts)) > 1

    def hold_system(self, *, as_parts: bool) -> bool:
        """Whether the text of a system message comes up in the prompt."""
        messages = _messages(_QUESTIONS[0], system=_SYSTEM, as_parts=as_parts)
        return _SYSTEM in (self._render(messages) or "")

    def _render(self, messages: Sequence[Mapping[str, Any]]) -> str | None:
        return render(self.template, messages, self.model.chat_template_kwargs or {})


def _messages(question: str, *, system: str | None = None, as_parts: bool) -> list[dict[str, Any]]:
    texts = {"system": system, "user": question}
    return [
        {"role": role, "content": [{"type": "text", "text": text}] if as_parts else text}
        for role, text in texts.items()
        if text is not None
    ]
