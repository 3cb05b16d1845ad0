"""`python -m tests.fuzz TARGET`: see the package."""

from __future__ import annotations

import sys
import time

import atheris

with atheris.instrument_imports(include=["oumi"]):
    from tests.fuzz.targets import TARGETS

_LONGEST_S = 1.0


def main() -> None:
    """Feed the target until the time is over."""
    target = TARGETS[sys.argv.pop(1)]

    def feed(data: bytes) -> None:
        started_s = time.monotonic()
        target(data)
        if (took_s := time.monotonic() - started_s) > _LONGEST_S:
            raise RuntimeError(f"took {took_s:.1f} s")

    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()


main()
