"""A model loaded into vLLM: started, used for requests, and shut down."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from oumi.backends.local.token_bytes import TokenBytes
from oumi.backends.local.vllm.arguments import engine_args
from oumi.backends.local.vllm.process import ProcessWatchdog, child_process_environment
from oumi.backends.local.vllm.versions import (
    AsyncEngineArgs,
    AsyncLLM,
    EngineDeadError,
    HfRenderer,
    LoRARequest,
    PoolingParams,
    SamplingParams,
    UsageContext,
    resolve_chat_template,
)
from oumi.core.configs import ModelParams
from oumi.core.types.embedding import Embeddings, new_vector
from oumi.core.types.usage import Usage
from oumi.errors import ConfigError, EngineError, ModelNotFoundError, OumiError, RequestError

# Then vLLM's process is killed. On the CPU its worker never ends by itself, so waiting longer would
# not help.
_SHUTDOWN_TIMEOUT_S = 2.0

# vLLM gives no more of them unless it is told to.
_COMPARED_TOKENS = 20

# The finish reasons of requests that vLLM ended without an answer.
_ABORTED = ("abort", "error")


class Runtime:
    """A loaded model. Its requests have to be made on the event loop that it was started on."""

    def __init__(self, engine: AsyncLLM, model: ModelParams, watchdog: ProcessWatchdog):
        self._engine: AsyncLLM | None = engine
        self._watchdog = watchdog
        self._request_ids = itertools.count()
        self._adapters = _adapters(model)
        self.renderer: Any = engine.renderer
        self.tokenizer: Any = engine.renderer.get_tokenizer()
        self.token_bytes = TokenBytes(self.tokenizer)
        self.model: Any = engine.model_config
        self.embeds: bool = engine.model_config.runner_type == "pooling"
        """Whether it embeds texts, and generates none."""
        self.context_length: int = engine.model_config.max_model_len
        self.max_num_seqs: int = engine.vllm_config.scheduler_config.max_num_seqs

    @property
    def renders_jinja(self) -> bool:
        """Whether prompts are made by a chat template, and not by code for this kind of model."""
        return isinstance(self.renderer, HfRenderer)

    @property
    def own_template(self) -> str | None:
        """The model's chat template for rows without tools, or what vLLM has in its place."""
        if not self.renders_jinja:
            return None
        template: str | None = resolve_chat_template(
            self.tokenizer, None, None, model_config=self.model
        )
        return template

    async def generate(
        self, prompt: Any, params: SamplingParams, adapter: str | None = None
    ) -> AsyncIterator[Any]:
        """The outputs of a request, as they come, by the adapter of that name, or else by the one
        of every row.

        Raises RequestError for a request that vLLM refuses or gives up, EngineError where its
        process has died.
        """
        if self._engine is None:
            raise EngineError("the engine is closed")
        request_id = str(next(self._request_ids))
        lora = self._adapters.get(adapter)
        outputs = self._engine.generate(prompt, params, request_id, lora_request=lora)
        with self._errors_translated():
            async for output in outputs:
                [completion] = output.outputs  # one, since `n` is 1
                if completion.finish_reason in _ABORTED:
                    raise self._abort_error()
                yield completion

    async def embed(self, text: str, dimensions: int | None) -> Embeddings:
        """The vector of a text. Raises as `generate` does."""
        if self._engine is None:
            raise EngineError("the engine is closed")
        params = PoolingParams(task="embed", dimensions=dimensions)
        lora = self._adapters.get(None)
        outputs = self._engine.encode(text, params, str(next(self._request_ids)), lora_request=lora)
        with self._errors_translated():
            async for output in outputs:
                last = output
        usage = Usage(prompt_tokens=len(last.prompt_token_ids))
        return Embeddings([new_vector(last.outputs.data.tolist())], usage)

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        """Within this, what vLLM raises becomes an error of ours."""
        try:
            yield
        except OumiError:
            raise
        except EngineDeadError as error:
            raise self._dead_error() from error
        except Exception as error:  # the classes of vLLM's errors differ from version to version
            raise RequestError(f"vLLM: {error.__cause__ or error}") from error

    async def check_adapters(self) -> None:
        """Raise ModelNotFoundError for an adapter that vLLM has loaded and that changes nothing.

        vLLM says nothing of weights that belong to no module of the model.
        """
        if self.embeds:  # and gives no probabilities to compare
            return
        plain = await self._first_logprobs(None) if self._adapters else {}
        for adapter in self._adapters.values():
            if await self._first_logprobs(adapter) == plain:
                raise ModelNotFoundError(
                    f"{adapter.lora_path}: the adapter changes nothing: its weights belong to no "
                    "module of this model, or are all zero"
                )

    async def _first_logprobs(self, adapter: LoRARequest | None) -> dict[int, float]:
        """Log-probabilities of what may follow a short text, with an adapter or without one."""
        assert self._engine is not None  # noqa: S101  for the type checker
        params = SamplingParams(max_tokens=1, temperature=0.0, logprobs=_COMPARED_TOKENS)
        prompt = {"prompt_token_ids": self.tokenizer.encode("Hello there")}
        request_id = str(next(self._request_ids))
        outputs = self._engine.generate(prompt, params, request_id, lora_request=adapter)
        found: dict[int, float] = {}
        async for output in outputs:
            for step in output.outputs[0].logprobs or ():
                found = {token: entry.logprob for token, entry in step.items()}
        return found

    def _abort_error(self) -> OumiError:
        if self._engine is None or self._engine.errored:
            return self._dead_error()
        return RequestError("vLLM gave the request up; what it wrote to its log says why")

    def _dead_error(self) -> EngineError:
        return EngineError("vLLM's process has ended; what it wrote to its log says why")

    def close(self) -> None:
        """End vLLM's process and free its memory."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._watchdog.stop()
            engine.shutdown(timeout=_SHUTDOWN_TIMEOUT_S)


async def start(model: ModelParams) -> Runtime:
    """Load a model. A thread does it, since it takes long and this loop serves other engines too.

    Raises ModelNotFoundError, ConfigError for settings that vLLM refuses, EngineError where its
    process does not come up.
    """
    args, watchdog = engine_args(model), ProcessWatchdog()
    loaded: Future[AsyncLLM] = Future()
    loaded.set_running_or_notify_cancel()

    def load() -> None:
        try:
            with child_process_environment(), watchdog.watching():
                loaded.set_result(_load(args))
        except BaseException as error:
            loaded.set_exception(error)

    # Not a pool's thread: Python waits for those when it exits, even after Ctrl-C.
    threading.Thread(target=load, name="oumi-vllm-load", daemon=True).start()
    try:
        engine = await asyncio.wrap_future(loaded)
    except BaseException:
        watchdog.kill_children()
        watchdog.stop()
        raise
    runtime = Runtime(engine, model, watchdog)
    try:
        await runtime.check_adapters()
    except BaseException:
        runtime.close()
        raise
    return runtime


def _adapters(model: ModelParams) -> dict[str | None, LoRARequest]:
    """The adapters by their names; that of every row has none."""
    paths: dict[str | None, str] = {None: model.adapter_model} if model.adapter_model else {}
    paths.update(model.adapters)
    return {
        name: LoRARequest(name or "adapter of every row", number, path)
        for number, (name, path) in enumerate(paths.items(), start=1)
    }


def _load(args: AsyncEngineArgs) -> AsyncLLM:
    try:
        return AsyncLLM.from_engine_args(args, usage_context=UsageContext.LLM_CLASS)
    except OSError as error:
        raise ModelNotFoundError(f"{args.model}: vLLM cannot load it: {error}") from error
    except ValueError as error:
        raise ConfigError(f"{args.model}: vLLM cannot load it: {error}") from error
    except RuntimeError as error:
        raise EngineError(
            f"{args.model}: vLLM's process did not come up; the reason stands in what it wrote "
            f"above ({error})"
        ) from error
