"""A conversation that goes on, and the model that answers in it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Self

from oumi.backends.engine_choice import with_engine
from oumi.cli.chat.totals import Totals
from oumi.cli.media_option import load_media
from oumi.cli.ranked_settings import over
from oumi.cli.user_message import user_message
from oumi.core.configs import InferenceConfig, ModelParams
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role
from oumi.errors import InputError
from oumi.inference import build_engine

Deltas = Generator[Delta, None, None]


class Chat:
    """The messages so far, what the next question begins with, and an engine; close it at the end.

    The system prompt, and the images that the chat began with, stay when messages are forgotten.
    """

    def __init__(
        self,
        config: InferenceConfig,
        *,
        system_prompt: str | None = None,
        media: Sequence[ContentItem] = (),
        earlier: Conversation | None = None,
    ):
        self.config = config
        self.totals = Totals()
        self.system_prompt = system_prompt
        self.messages: list[Message] = []
        self._first_media = list(media)
        self._media = list(media)
        if earlier is not None:
            self._take_over(earlier, system_prompt)
        self._engine = build_engine(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    @property
    def conversation(self) -> Conversation:
        """The system prompt, if there is one, and all messages."""
        prompt = self.system_prompt
        system = [Message(role=Role.SYSTEM, content=prompt)] if prompt else []
        return Conversation(messages=system + self.messages)

    @property
    def last_answer(self) -> Message | None:
        """The last message, where the model wrote it."""
        last = self.messages[-1] if self.messages else None
        return last if last is not None and last.role is Role.ASSISTANT else None

    def stream(self, text: str) -> Deltas:
        """Send a message of the user, and stream the answer.

        An answer that is stopped or breaks off stays in the conversation as far as it came.
        Without any, the question is taken back.
        """
        return self._stream(user_message(text, self._media), list(self.messages))

    def stream_again(self) -> Deltas:
        """Stream another answer in place of the last one, which stays where none comes.

        Raises InputError where nothing was asked.
        """
        before = list(self.messages)
        return self._stream(self.take_back(), before)

    def take_back(self) -> Message:
        """Remove the last question and what was answered. Returns the question.

        Raises InputError where nothing was asked.
        """
        asked = [at for at, message in enumerate(self.messages) if message.role is Role.USER]
        if not asked:
            raise InputError("nothing was asked yet")
        question = self.messages[asked[-1]]
        del self.messages[asked[-1] :]
        return question

    def add_media(self, given: str) -> None:
        """Put an image or a PDF before the next question. Raises what is wrong with it."""
        self._media += load_media([given], self.config)

    def keep_media_of(self, question: Message) -> None:
        """Put the images of a question that was taken back before the next one."""
        self._media = [item for item in question.content_items if not item.is_text()]

    def use_model(self, name: str) -> None:
        """Let another model answer from now on, which its name says the engine of.

        Raises what is wrong with it; the earlier one then stays.
        """
        config = with_engine(over(self.config, InferenceConfig(model=ModelParams(model_name=name))))
        engine = build_engine(config)
        self._engine.close()
        self.config, self._engine = config, engine

    def reset(self) -> None:
        """Forget all messages."""
        self.messages.clear()
        self._media = list(self._first_media)

    def load(self, path: Path) -> None:
        """Go on with the last conversation of a JSONL file. Raises InputError."""
        from oumi.data.jsonl import JsonlSource

        last = None
        for last in JsonlSource(path).rows():
            if last.error is not None:
                raise last.error
        if last is None or last.conversation is None:
            raise InputError(f"{path}: no conversations")
        self._take_over(last.conversation, None)

    def _take_over(self, earlier: Conversation, system_prompt: str | None) -> None:
        first = earlier.first_message(Role.SYSTEM)
        if system_prompt is None and first is not None:
            self.system_prompt = first.compute_flattened_text_content()
        self.messages = [m for m in earlier.messages if m.role is not Role.SYSTEM]

    def _stream(self, question: Message, before: list[Message]) -> Deltas:
        """Stream an answer. Without any, the messages are those of `before`: a question alone would
        confuse the next turn.
        """
        self.messages.append(question)
        contents: list[str] = []
        completion: Completion | None = None
        try:
            with contextlib.closing(self._engine.stream(self.conversation, self.config)) as deltas:
                for delta in deltas:
                    if delta.content or delta.completion:
                        contents.append(delta.content)
                    completion = delta.completion
                    yield delta
        finally:
            if contents:
                self._append_answer("".join(contents), completion)
            else:
                self.messages = before

    def _append_answer(self, text: str, completion: Completion | None) -> None:
        if completion is not None:
            self.messages.append(completion.message)
            self.totals.add(completion.usage, self._engine.session(self.config).price)
        else:
            self.messages.append(Message(role=Role.ASSISTANT, content=text))
        self._media = []
