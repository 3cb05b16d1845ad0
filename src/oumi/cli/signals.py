"""SIGTERM as a Ctrl-C, and the exit codes of both."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within this, SIGTERM raises Terminated and so is taken like a Ctrl-C."""
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """128 and the number of the signal, as shells have it."""
    came = signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT
    return 128 + came


def _raise_terminated(_: int, __: FrameType | None) -> None:
    raise Terminated
