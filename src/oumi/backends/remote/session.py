"""One API under the settings of a run: encode, send, decode."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

from oumi.backends.chat_templates.system_role import fold_system_messages
from oumi.backends.provider import Provider
from oumi.backends.remote import embeddings, prompt_cache
from oumi.backends.remote.address import Address, key_hint
from oumi.backends.remote.auth import Auth
from oumi.backends.remote.dialects import Dialect
from oumi.backends.remote.errors import to_error
from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.rate_limit_headers import HeaderObserver, retry_after_s
from oumi.backends.remote.http.replicas import Replica, Replicas
from oumi.backends.remote.http.transport import Transport
from oumi.backends.remote.http.transport_errors import ConnectError, TransportTimeoutError
from oumi.backends.remote.masked_stream import mask_stream
from oumi.backends.remote.model_families import family_of
from oumi.backends.remote.prefill import Prefill
from oumi.backends.remote.user_id import with_user_id
from oumi.backends.remote.wrong_place import decode_unless_page, misdirected
from oumi.core.configs import RemoteParams
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import Conversation
from oumi.core.types.embedding import Embeddings
from oumi.errors import MissingDependencyError, UnavailableError
from oumi.runner.embedding_request import CHARACTERS_PER_TOKEN, EmbeddingRequest
from oumi.runner.request import NO_KEY, Request
from oumi.runner.session import Session
from oumi.structured.schema.adapt import AdaptedSchema, add_instruction

RequestT = TypeVar("RequestT", Request, EmbeddingRequest)
AnswerT = TypeVar("AnswerT")

_LONG_ANSWER_TOKENS = 16_384
"""An answer that may be this long is streamed, though it is wanted whole: at 50 tokens a second it
takes longer than 300 s, the default time-out, while a stream is given up only where it is silent.
Shorter ones are not streamed at first, because a stream costs several times the computing."""

_TIMEOUT_STATUSES = (504, 524)
"""Those of gateways that waited in vain; 524 is Cloudflare's."""


@dataclass(frozen=True, kw_only=True)
class RemoteSession(Session):
    """What all requests under the settings of a run have in common, made once.

    `complete` and `stream` build a call, send it, and decode the reply. Nothing is retried here.
    """

    provider: Provider
    dialect: Dialect
    address: Address
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    """The fields that the bodies of all requests share."""
    adapted: AdaptedSchema | None = field(repr=False)
    """The schema of the answers as the API takes it."""
    has_system_role: bool
    """Whether the chat template has one, where the settings give a template."""
    rate_limits: HeaderObserver = field(repr=False)
    """Tells the limiter what the headers of replies report."""
    replicas: Replicas = field(repr=False)
    auth: Auth | None = field(repr=False)
    """Signs each call, where no key opens the API."""
    transport: Callable[[], Transport] = field(repr=False)
    """The transport of the backend. Raises EngineError once that is closed."""
    timed_out: set[str] = field(default_factory=set, repr=False)
    """The keys of rows whose answer took too long; they are streamed when they are tried again."""

    @cached_property
    def remote(self) -> RemoteParams:
        """The settings that say how the API is reached."""
        return self.config.remote_params or RemoteParams()

    @cached_property
    def _limits_tokens(self) -> bool:
        remote = self.remote
        limits = (remote.input_tokens_per_minute, remote.output_tokens_per_minute)
        return limits != (None, None)

    @cached_property
    def _continues(self) -> bool:
        return self.config.generation.continue_final_message

    @cached_property
    def _reply_limits(self) -> tuple[float, int]:
        """Most seconds until a reply is whole, and most bytes of it."""
        return self.remote.connection_timeout, self.remote.max_reply_bytes

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token is always chosen; models that take no temperature sample."""
        fixed = family_of(self.config.model.model_name).fixed
        return "temperature" not in fixed and super().is_greedy

    @property
    def path(self) -> str:
        """Where the API takes requests, below its base."""
        return self.dialect.path(self.config)

    @cached_property
    def _urls(self) -> Mapping[str, str]:
        """Where whole answers are asked for, by the base of the replica."""
        return {base: self.address.url(base, self.path) for base in self.address.bases}

    @cached_property
    def _stream_urls(self) -> Mapping[str, str]:
        path = self.dialect.path(self.config, stream=True)
        return {base: self.address.url(base, path) for base in self.address.bases}

    @cached_property
    def _adapts_conversations(self) -> bool:
        """Whether conversations are sent otherwise than they are given."""
        has_instruction = self.adapted is not None and self.adapted.instruction is not None
        return has_instruction or self.prefixes is not None or not self.has_system_role

    def complete(self, request: Request) -> Coroutine[Any, Any, Completion]:
        """Answer one request."""
        is_streamed = self._is_long(request) and self._can_stream(request)
        streamed = partial(self._complete_streamed, request) if is_streamed else None
        return self._ask(request, request.key, self.build_call, self._decode, streamed)

    def embed(self, request: EmbeddingRequest) -> Coroutine[Any, Any, Embeddings]:
        """The vectors of texts."""
        return self._ask(request, NO_KEY, self._embedding_call, embeddings.decode)

    async def _ask(
        self,
        request: RequestT,
        key: str,
        build: Callable[[RequestT, Replica], Call],
        decode: Callable[[RequestT, bytes], AnswerT],
        streamed: Callable[[], Coroutine[Any, Any, AnswerT]] | None = None,
    ) -> AnswerT:
        """The answer to a request, whose row has this key; by a stream where that is given."""
        transport = self.transport()
        while True:
            try:
                if streamed is not None:
                    return await streamed()
                with self.replicas.pick() as replica:
                    call = build(request, replica)
                    if self.auth is not None:
                        call = await self.auth.apply(call)
                    reply = await transport.send(call)
                    replica.note_status(reply.status)
                break
            except TransportTimeoutError:
                self.timed_out.add(key)
                raise
            except ConnectError:  # nothing was sent, so another replica may be asked at once
                if not self.replicas.is_any_awake:
                    raise
        self.rate_limits.observe(reply.headers, reply.status)
        if reply.status in _TIMEOUT_STATUSES:
            self.timed_out.add(key)
        self.check(reply, call)
        return decode_unless_page(partial(decode, request), reply.headers, reply.body)

    async def stream(self, request: Request) -> AsyncGenerator[Delta]:
        """Answer one request piece by piece."""
        prefill = Prefill(request, self.provider)
        async with aclosing(self._stream(request)) as deltas:
            async for delta in deltas:
                yield prefill.piece(delta)

    async def _stream(self, request: Request) -> AsyncGenerator[Delta]:
        with self.replicas.pick() as replica:
            call = await self.signed(self.build_call(request, replica, stream=True))
            decoder = self.dialect.stream_decoder(request.config)
            decoder = mask_stream(decoder, call.headers, call.url)
            head, start = Head(200, {}, b""), b""
            async with aclosing(self.transport().stream(call)) as parts:
                async for part in parts:
                    if not isinstance(part, Head):
                        start = start or part
                        for delta in decoder.feed(part):
                            yield delta
                        continue
                    head = part
                    replica.note_status(part.status)
                    self.rate_limits.observe(part.headers, part.status)
                    self.check(part, call)
        yield decode_unless_page(lambda _: decoder.last(), head.headers, start)

    def build_call(self, request: Request, replica: Replica, *, stream: bool = False) -> Call:
        """Not signed yet. Raises RequestError for a request that cannot be sent."""
        url = (self._stream_urls if stream else self._urls)[replica.base]
        return self.new_call("POST", url, self.encode(request, stream=stream))

    def _embedding_call(self, request: EmbeddingRequest, replica: Replica) -> Call:
        body = embeddings.shared_body(request, self.provider)
        body = with_user_id(body, self.provider, self.remote.user_id)
        url = self.address.url(replica.base, embeddings.PATH)
        return self.new_call("POST", url, embeddings.encode(request, body))

    def new_call(self, method: str, url: str, body: bytes) -> Call:
        """A call with the headers and limits of the session, not signed yet."""
        return Call(method, url, self.headers, body, *self._reply_limits)

    async def list_models(self, *, chat_only: bool) -> list[str]:
        """The names of the models that the API offers; its own where the API has no list."""
        if not self.provider.lists_models or self.address.is_endpoint:
            return [self.config.model.model_name]
        url = self.address.url(self.address.models_base, self.dialect.models_path)
        call = await self.signed(self.new_call("GET", url, b""))
        reply = await self.transport().send(call)
        self.check(reply, call)
        decode = partial(self.dialect.decode_models, chat_only=chat_only)
        return decode_unless_page(decode, reply.headers, reply.body)

    def encode(self, request: Request, *, stream: bool = False) -> bytes:
        """The body of a request. Raises RequestError for one that cannot be sent."""
        if self._adapts_conversations:
            request = request._replace(conversation=self._adapted(request))
        body = self.body
        if request.config is not self.config:  # a repair that may take more tokens, for example
            body = self.dialect.shared_body(request.config, self.provider)
            body = with_user_id(body, self.provider, self.remote.user_id)
        return self.dialect.encode(request, body, stream=stream, provider=self.provider)

    def _adapted(self, request: Request) -> Conversation:
        """The conversation as the model has to see it."""
        conversation = request.conversation
        if self.prefixes is not None:
            conversation = prompt_cache.mark(conversation, request.shared)
        conversation = add_instruction(conversation, self.adapted)
        if not self.has_system_role:
            conversation = fold_system_messages(conversation, request.config.model.model_name)
        return conversation

    def decode(self, body: bytes) -> Completion:
        """The completion in the body of a reply. Raises OumiError for what is none."""
        return self.dialect.decode(body, self.config)

    def check(self, reply: Reply, call: Call) -> None:
        """Raise what a reply other than 200 to a call means."""
        if reply.status == 200:
            return
        if (error := misdirected(reply, call, self.name)) is not None:
            raise error
        wait_s = retry_after_s(reply.headers, time.time())
        hint = key_hint(self.provider, self.remote)
        raise to_error(reply.status, reply.body, wait_s, self.name, hint)

    async def signed(self, call: Call) -> Call:
        """The call with a signature or a token, where no key opens the API."""
        return call if self.auth is None else await self.auth.apply(call)

    @property
    def timeout_s(self) -> float:
        """How long a reply may take."""
        return self.remote.connection_timeout

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """A generous guess, made only where there is a limit to keep."""
        if not self._limits_tokens:
            return 0, 0
        characters = sum(
            len(message.content)
            for message in request.conversation.messages
            if isinstance(message.content, str)
        )
        most = request.config.generation.max_new_tokens
        return characters // CHARACTERS_PER_TOKEN + 1, most

    def _decode(self, request: Request, body: bytes) -> Completion:
        return self._whole(request, self.dialect.decode(body, request.config))

    def _whole(self, request: Request, completion: Completion) -> Completion:
        """The completion with what it continues, where it continues anything."""
        if not self._continues:
            return completion
        return Prefill(request, self.provider).whole(completion)

    def _is_long(self, request: Request) -> bool:
        """Whether an answer is likely to take longer than the time-out."""
        is_long = request.config.generation.max_new_tokens >= _LONG_ANSWER_TOKENS
        return is_long or request.key in self.timed_out

    def _can_stream(self, request: Request) -> bool:
        """Whether what is needed to read a stream is installed."""
        try:
            self.dialect.stream_decoder(request.config)
        except MissingDependencyError:
            return False
        return True

    async def _complete_streamed(self, request: Request) -> Completion:
        """Answer one request by a stream. One that breaks off leaves its text in the error."""
        texts: list[str] = []
        completion: Completion | None = None
        first_token_s: float | None = None
        started_s = time.monotonic()
        try:
            async with aclosing(self._stream(request)) as deltas:
                async for delta in deltas:
                    if first_token_s is None and delta.is_piece:
                        first_token_s = time.monotonic() - started_s
                    texts.append(delta.content)
                    completion = delta.completion or completion
        except UnavailableError as error:
            error.reply = error.reply or "".join(texts) or None
            raise
        assert completion is not None  # noqa: S101  for the type checker
        self.timed_out.discard(request.key)
        return self._whole(request, completion._replace(first_token_s=first_token_s))
