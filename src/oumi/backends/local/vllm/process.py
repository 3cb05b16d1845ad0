"""vLLM's child processes: started with what they need, and ended when this process ends.

A vLLM process that outlives a killed run keeps the GPU's memory, which the next run needs. So a
watchdog process waits for the end of this one, whatever its cause, and kills what is left of vLLM.
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

from oumi.core.forks import watch_forks

# How often new child processes are looked for while vLLM starts: a run that is killed sooner after
# a child came up than this leaves it behind.
_POLL_S = 0.1

# Reads process ids from its standard input, which ends when the process that started it does. Then
# it gives them 5 s to end after SIGTERM, and kills them.
_WATCHDOG = """
import contextlib, os, signal, sys, time
pids = [int(line) for line in sys.stdin]
for number, wait_s in ((signal.SIGTERM, 5), (signal.SIGKILL, 0)):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    time.sleep(wait_s)
"""

_CHILD_ENVIRONMENT = {
    # A fork copies locks that our threads hold, but not the threads that would release them.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "PYTHONWARNINGS": "ignore",
}


class ProcessWatchdog:
    """Ends the child processes that were started under `watching` when this process ends."""

    def __init__(self) -> None:
        self._earlier_children = set(multiprocessing.active_children())
        self._pids: set[int] = set()
        command = [sys.executable, "-c", _WATCHDOG]
        # In a session of its own, so that a signal to our process group leaves it alive.
        self._process = subprocess.Popen(  # noqa: S603  it is this Python
            command, stdin=subprocess.PIPE, start_new_session=True, text=True
        )
        watch_forks(self)

    def after_fork(self) -> None:
        """The pipe has to end with the parent, also where a forked child lives on."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nothing, pipe.fileno(), inheritable=False)
            os.close(nothing)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Child processes that are started within this are watched."""
        done = threading.Event()

        def poll() -> None:
            while not done.wait(_POLL_S):
                self._report_children()

        thread = threading.Thread(target=poll, name="oumi-vllm-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self._report_children()

    def _report_children(self) -> None:
        """Send the ids of new child processes to the watchdog."""
        for child in set(multiprocessing.active_children()) - self._earlier_children:
            if child.pid is not None and child.pid not in self._pids and self._process.stdin:
                self._pids.add(child.pid)
                self._process.stdin.write(f"{child.pid}\n")
                self._process.stdin.flush()

    def stop(self) -> None:
        """Watch no longer. To be called before vLLM is shut down: pids are used again later."""
        self._process.kill()
        self._process.communicate()

    def kill_children(self) -> None:
        """Kill the watched processes at once."""
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def child_process_environment() -> Iterator[None]:
    """vLLM's processes, started within this, leave the user's script and Ctrl-C to this process."""
    with _environment_variables(), _main_module_hidden(), _sigint_blocked():
        yield


@contextlib.contextmanager
def _environment_variables() -> Iterator[None]:
    added = {name: value for name, value in _CHILD_ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextlib.contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep spawned processes from importing the user's script.

    Python would import it by `__file__` or `__spec__` of `__main__`, and so run a script without a
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
def _sigint_blocked() -> Iterator[None]:
    """Start processes that ignore Ctrl-C and hear SIGTERM.

    A terminal sends SIGINT to all processes of its foreground group. After it, what is in flight is
    finished first, for which vLLM has to go on. Child processes inherit this thread's signal mask.
    """
    # Python's resource tracker unblocks these signals when it starts, so it has to run before.
    resource_tracker.ensure_running()
    mask_before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask_before)
