"""The OpenAI completions API: a prompt as it is to a body, a reply to a completion.

https://platform.openai.com/docs/api-reference/completions/create
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from oumi.backends.legacy_logprobs import from_legacy
from oumi.backends.openai_reply import decode_choice
from oumi.backends.provider import Provider
from oumi.backends.remote.dialects.chat import check as check
from oumi.backends.remote.dialects.json_events import JsonEvents
from oumi.backends.remote.dialects.model_list import decode_models as decode_models
from oumi.backends.remote.dialects.openai_api import SAMPLING, decode_reply, write_body
from oumi.backends.remote.dialects.stream import ReplyStream
from oumi.backends.remote.errors import error_in_reply, to_text
from oumi.backends.setting_map import SettingMap, field
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.errors import RequestError
from oumi.runner.raw_prompt import raw_prompt
from oumi.runner.request import Request
from oumi.structured.schema.adapt import AdaptedSchema

models_path = "/models"


def path(config: InferenceConfig, *, stream: bool = False) -> str:
    """The same for all models, streamed or not."""
    return "/completions"


def headers(config: InferenceConfig) -> dict[str, str]:
    """None: the settings are in the body."""
    return {}


def adapted(config: InferenceConfig, provider: Provider) -> AdaptedSchema | None:
    """None: no constraint can be sent."""
    return None


def shared_body(config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """What all bodies under these settings have in common."""
    body = {"stream_options": {"include_usage": True}, **provider.body}
    return {**body, **_SHARED.encode(config, without=provider.ignores)}


def encode(
    request: Request,
    shared: Mapping[str, Any],
    *,
    stream: bool = False,
    provider: Provider | None = None,
) -> bytes:
    """The body of a request. Raises RequestError for what is no prompt as it is."""
    prompt = raw_prompt(request)
    if prompt is None:
        raise RequestError("the completions API applies no chat template")
    return write_body({"prompt": prompt, **shared}, stream=stream)


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    return decode_reply(body, config, stream_decoder, _find_choice, _decode_choice)


def stream_decoder(config: InferenceConfig) -> ReplyStream:
    """A decoder for one streamed reply."""
    return ReplyStream(JsonEvents(), _TextAssembler(config), partial(decode, config=config))


def _find_choice(choices: Any) -> dict[str, Any] | None:
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) and isinstance(choice.get("text"), str) else None


class _TextAssembler:
    """Puts an answer together from the chunks of a stream."""

    def __init__(self, config: InferenceConfig) -> None:
        self._config = config
        self._texts: list[str] = []
        self._finish_reason: Any = None
        self._logprobs: list[dict[str, Any]] = []
        self._usage: Any = None

    @property
    def is_complete(self) -> bool:
        """Whether a finish reason has come."""
        return self._finish_reason is not None

    @property
    def has_answer(self) -> bool:
        """Whether there is any text so far."""
        return bool(self.text)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._texts)

    def add(self, event: Mapping[str, Any]) -> Delta | None:
        """Add a chunk. Raises BadReplyError for one that reports an error."""
        self._usage = event.get("usage") or self._usage
        if "choices" not in event and event.get("message"):
            raise error_in_reply(to_text(event))
        for choice in event.get("choices") or ():
            self._finish_reason = choice.get("finish_reason") or self._finish_reason
            if logprobs := choice.get("logprobs"):
                self._logprobs += from_legacy(logprobs)["content"]
            if text := choice.get("text"):
                self._texts.append(text)
                return Delta(text)
        return None

    def completion(self) -> Completion:
        """The whole answer."""
        choice: dict[str, Any] = {"text": self.text, "finish_reason": self._finish_reason}
        if self._logprobs:
            choice["logprobs"] = {"content": self._logprobs}
        return _decode_choice(choice, self._usage, self._config)


def _decode_choice(choice: Mapping[str, Any], usage: Any, config: InferenceConfig) -> Completion:
    logprobs = choice.get("logprobs")
    given = from_legacy(logprobs) if logprobs and "tokens" in logprobs else logprobs
    whole = {**choice, "message": {"content": choice["text"]}, "logprobs": given}
    return decode_choice(whole, usage, logprobs=config.generation.logprobs is not None)


# How each setting is sent.
_SHARED = SettingMap(
    {
        "model.model_name": field("model"),
        "model.adapter_model": field("model", unless=""),
        "generation.max_new_tokens": field("max_tokens"),
        **SAMPLING,
        "generation.logprobs": field("logprobs"),
        "model.model_kwargs": dict,
    }
)

settings = _SHARED.settings | {"generation.apply_chat_template"}
"""Where it is false, this API is asked."""
