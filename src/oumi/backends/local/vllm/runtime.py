"""A model that vLLM holds, and the way to it."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any

from oumi.backends.local.chat_template import THINK
from oumi.backends.local.vllm.arguments import engine_args
from oumi.backends.local.vllm.process import Watch, beginning
from oumi.backends.local.vllm.versions import (
    AsyncEngineArgs,
    AsyncLLM,
    EngineDeadError,
    LoRARequest,
    SamplingParams,
    UsageContext,
)
from oumi.core.configs import ModelParams
from oumi.errors import ConfigError, EngineError, ModelNotFoundError, OumiError, RequestError

# After that it is killed: on the CPU its worker is never done with tidying up.
_END_S = 2.0

# What vLLM ends a request with that it gives up.
_GIVEN_UP = ("abort", "error")


class Runtime:
    """A loaded model, whose requests are made and answered on one event loop."""

    def __init__(self, engine: AsyncLLM, model: ModelParams, watch: Watch):
        self._engine: AsyncLLM | None = engine
        self._watch = watch
        self._numbers = itertools.count()
        self._adapter = _adapter(model)
        self.renderer: Any = engine.renderer
        self.tokenizer: Any = engine.renderer.get_tokenizer()
        self.may_think = THINK in f"{model.chat_template or _own_template(self.tokenizer)}"
        self.model: Any = engine.model_config
        self.context: int = engine.model_config.max_model_len
        self.rows: int = engine.vllm_config.scheduler_config.max_num_seqs

    async def generate(self, prompt: Any, params: SamplingParams) -> AsyncIterator[Any]:
        """The outputs of a request. Raises EngineError where the engine's process has died."""
        if self._engine is None:
            raise EngineError("the engine is closed")
        number = str(next(self._numbers))
        outputs = self._engine.generate(prompt, params, number, lora_request=self._adapter)
        try:
            async for output in outputs:
                [answer] = output.outputs
                if answer.finish_reason in _GIVEN_UP:
                    raise self._given_up()
                yield answer
        except OumiError:
            raise
        except EngineDeadError as error:
            raise self._died() from error
        except Exception as error:  # the classes of vLLM's errors differ from version to version
            raise RequestError(f"vLLM: {error.__cause__ or error}") from error

    def _given_up(self) -> OumiError:
        if self._engine is None or self._engine.errored:
            return self._died()
        return RequestError("vLLM gave the request up; what it wrote to its log says why")

    def _died(self) -> EngineError:
        return EngineError("vLLM's process has ended; what it wrote to its log says why")

    def close(self) -> None:
        """End vLLM's process and free its memory."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._watch.end()
            engine.shutdown(timeout=_END_S)


async def start(model: ModelParams) -> Runtime:
    """Load a model, in a thread of its own: it takes long, and this loop serves other engines.

    Raises ModelNotFoundError, ConfigError for what vLLM refuses, EngineError where its process
    does not come up.
    """
    args, watch = engine_args(model), Watch()
    loaded: Future[AsyncLLM] = Future()
    loaded.set_running_or_notify_cancel()

    def load() -> None:
        try:
            with beginning(), watch.watching():
                loaded.set_result(_load(args))
        except BaseException as error:
            loaded.set_exception(error)

    # A pool's thread would be waited for when Python exits, a Ctrl-C or not.
    threading.Thread(target=load, name="oumi-vllm-load", daemon=True).start()
    try:
        engine = await asyncio.wrap_future(loaded)
    except BaseException:
        watch.kill()
        watch.end()
        raise
    return Runtime(engine, model, watch)


def _adapter(model: ModelParams) -> LoRARequest | None:
    return LoRARequest("adapter", 1, model.adapter_model) if model.adapter_model else None


def _own_template(tokenizer: Any) -> Any:
    return getattr(tokenizer, "chat_template", None)


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
