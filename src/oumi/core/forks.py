"""What a child made by `os.fork` makes anew.

A fork copies all memory and only the thread that forks: the child finds event loops that nobody
runs, pools without threads, and locks that nobody will release. Whoever owns such things has them
made anew in the child (https://docs.python.org/3/library/os.html#os.register_at_fork).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar
from weakref import WeakSet

ResultT = TypeVar("ResultT")


class ForkAware(Protocol):
    """Owns what does not survive a fork."""

    def after_fork(self) -> None:
        """Called in the child, which has one thread: give up what was the parent's, and start
        nothing yet, as most children never need it.
        """
        ...


_owners: WeakSet[ForkAware] = WeakSet()
_parents: list[int] = []
"""Of this process, the id of each that it was forked from."""


def watch_forks(owner: ForkAware) -> None:
    """Have `after_fork` called in each child, for as long as the owner lives."""
    _owners.add(owner)


def fresh_thread(work: Callable[[], ResultT]) -> ResultT:
    """Do `work`, in a forked child on a thread of its own: the pools of OpenMP belong to the thread
    that used them, and the one that forked would wait in the child for those of the parent.
    """
    if not _parents:
        return work()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def keep_forever(value: object) -> None:
    """Never free a value: native code would wait for threads that only the parent has."""
    import ctypes  # which takes milliseconds, and few processes fork

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def skip_native_exit() -> None:
    """Have this process end, once Python has, without what native libraries do at the end: they too
    would wait for threads that only the parent has. Where the C library offers that (glibc).
    """
    import ctypes

    libc = ctypes.CDLL(None)
    on_exit = getattr(libc, "on_exit", None)
    if on_exit is not None:  # called with the status, and before all that were there earlier
        on_exit(ctypes.cast(libc._exit, ctypes.c_void_p), None)


def _after_fork() -> None:
    _parents.append(os.getppid())
    for owner in list(_owners):
        owner.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
