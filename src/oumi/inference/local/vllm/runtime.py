"""vLLM's engine and the process that it runs in."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.lora.request import LoRARequest
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError

from oumi.errors import EngineError, ModelNotFoundError, RequestError

# Its standard input ends when the process that started it does.
_WATCH = """
import contextlib, os, signal, sys, time
sys.stdin.buffer.read()
for number, wait_s in ((signal.SIGTERM, 10), (signal.SIGKILL, 0)):
    for pid in sys.argv[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), number)
    time.sleep(wait_s)
"""


class Runtime:
    """A loaded model. Everything happens on the background loop.

    Raises ModelNotFoundError for a model that vLLM cannot load.
    """

    def __init__(self, args: AsyncEngineArgs, adapter: str | None):
        self._numbers = itertools.count()
        self._adapter = LoRARequest("adapter", 1, adapter) if adapter else None
        with _main_module_hidden():
            try:
                self._engine: AsyncLLM | None = AsyncLLM.from_engine_args(args)
            except (OSError, ValueError, RuntimeError) as error:
                raise ModelNotFoundError(f"{args.model}: vLLM cannot load it: {error}") from error
        self._watch = _end_with_us([child.pid for child in multiprocessing.active_children()])
        self.tokenizer: Any = self._engine.get_tokenizer()
        self.context: int = self._engine.model_config.max_model_len
        self.rows: int = self._engine.vllm_config.scheduler_config.max_num_seqs

    async def generate(self, ids: list[int], params: SamplingParams) -> AsyncIterator[Any]:
        """The outputs of a request. Raises EngineError where the engine's process has died."""
        if self._engine is None:
            raise EngineError("the engine is closed")
        number = str(next(self._numbers))
        prompt = {"prompt_token_ids": ids}
        try:
            outputs = self._engine.generate(prompt, params, number, lora_request=self._adapter)
            async for output in outputs:
                yield output
        except EngineDeadError as error:
            raise EngineError("vLLM's engine process has died; its log says why") from error
        except Exception as error:  # the classes of vLLM's errors differ from version to version
            raise RequestError(f"vLLM: {error}") from error

    def close(self) -> None:
        """End the engine's process and free its memory."""
        engine, self._engine = self._engine, None
        if engine is not None:
            self._watch.kill()
            self._watch.communicate()
            engine.shutdown()


def _end_with_us(pids: list[int | None]) -> subprocess.Popen[bytes]:
    """See to it that vLLM's process does not outlive this one, however this one ends: its memory,
    on a graphics card above all, would be missing when the run is begun again.
    """
    command = [sys.executable, "-c", _WATCH, *(str(pid) for pid in pids if pid)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603


@contextlib.contextmanager
def _main_module_hidden() -> Iterator[None]:
    """vLLM spawns a process, and a spawned process imports the script that was started, which
    would run a script without a `__main__` guard a second time.
    """
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {"__file__": main.pop("__file__", None), "__spec__": main["__spec__"]}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update({name: value for name, value in hidden.items() if value is not None})
