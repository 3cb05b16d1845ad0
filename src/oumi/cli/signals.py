"""SIGTERM is handled like Ctrl-C, with an exit code of its own."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class SigtermInterrupt(KeyboardInterrupt):
    """SIGTERM arrived."""


@contextlib.contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within this, SIGTERM raises SigtermInterrupt, and so is handled like Ctrl-C."""
    before = signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """128 plus the number of the signal, as shells report it."""
    number = signal.SIGTERM if isinstance(interrupt, SigtermInterrupt) else signal.SIGINT
    return 128 + number


def _raise_interrupt(_: int, __: FrameType | None) -> None:
    raise SigtermInterrupt
