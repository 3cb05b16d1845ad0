"""vLLM's own process: how it is begun, and how it is seen to that it ends.

Its memory, on a graphics card above all, would be missing when a run is begun again. So a third
process waits for the end of this one, however that comes about, and ends what is left of vLLM.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import Any

_EVERY_S = 0.1

# Reads process ids from its standard input, which ends when the process that started it does.
_WATCH = """
import contextlib, os, signal, sys, time
pids = [int(line) for line in sys.stdin]
for number, wait_s in ((signal.SIGTERM, 5), (signal.SIGKILL, 0)):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    time.sleep(wait_s)
"""

_FOR_CHILDREN = {
    # A fork copies our threads' locks without the threads.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "PYTHONWARNINGS": "ignore",
}


class Watch:
    """Knows the processes begun since it was made, and ends them when this one ends."""

    def __init__(self) -> None:
        self._others = set(multiprocessing.active_children())
        self._known: set[int] = set()
        command = [sys.executable, "-c", _WATCH]
        self._process = subprocess.Popen(  # noqa: S603  it is this Python
            command, stdin=subprocess.PIPE, start_new_session=True, text=True
        )

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Within this, processes are begun, and noticed as they are."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(_EVERY_S):
                self._look()

        thread = threading.Thread(target=look, name="oumi-vllm-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self._look()

    def _look(self) -> None:
        for child in set(multiprocessing.active_children()) - self._others:
            if child.pid is not None and child.pid not in self._known and self._process.stdin:
                self._known.add(child.pid)
                self._process.stdin.write(f"{child.pid}\n")
                self._process.stdin.flush()

    def end(self) -> None:
        """Watch no longer; to be called before vLLM is shut down."""
        self._process.kill()
        self._process.communicate()

    def kill(self) -> None:
        """End what was begun, at once."""
        for pid in self._known:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def beginning() -> Iterator[None]:
    """Within this, vLLM begins its processes."""
    with _environment(), _main_module_hidden(), _without_ctrl_c():
        yield


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    missing = {name: value for name, value in _FOR_CHILDREN.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


@contextlib.contextmanager
def _main_module_hidden() -> Iterator[None]:
    """A spawned process imports the script that was started, which would run a script without a
    `__main__` guard a second time.
    """
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {"__file__": main.pop("__file__", None), "__spec__": main["__spec__"]}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update({name: value for name, value in hidden.items() if value is not None})


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """A terminal sends Ctrl-C to all processes in it. vLLM's inherit from this thread that they do
    not hear it: what is in flight is to be finished first. SIGTERM they have to hear.
    """
    resource_tracker.ensure_running()  # it lets through what is blocked here when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
