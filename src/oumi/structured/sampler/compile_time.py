"""The processor time that preparing one schema for a sampler may take.

A sampler compiles a schema again for each part that stands in the way of the whole, and each time
takes as long as its own limits allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

MAX_COMPILE_S = 30.0
"""Of 9,500 real schemas the slowest takes a few seconds; a run waits for it once."""

_ends_at: ContextVar[float] = ContextVar("ends_at", default=float("inf"))


class CompileTimeError(Exception):
    """The time is used up."""


@contextmanager
def compile_time(seconds: float = MAX_COMPILE_S) -> Iterator[None]:
    """Give what is compiled within this so much time, or what is left of an outer one."""
    token = _ends_at.set(min(thread_time() + seconds, _ends_at.get()))
    try:
        yield
    finally:
        _ends_at.reset(token)


def check_compile_time() -> None:
    """Raise CompileTimeError where the time is used up."""
    if thread_time() > _ends_at.get():
        raise CompileTimeError
